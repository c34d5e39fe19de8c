// What goes wrong in a day: sleep, airplanes, other devices, thieves.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { onEach, order, picture, sent } from '../world.mjs'

/** Seconds after which the server asks for a refresh. It has the real clock, so this is waited for. */
const REFRESH = 2

const DAY = 86_400_000
const refreshes = requests => requests.filter(line => line.includes('/session/refresh'))
const codeOf = ({ answer }) => answer.headers.find(([name]) => name.toLowerCase() === 'yaopai-code')?.[1]

onEach({ refresh: REFRESH }, world => {
  test('long in the background: one refresh, and the request passes', async () => {
    const phone = await world.open('xiaoming')
    await phone.background()
    const from = phone.requests().length
    await wait(REFRESH * 1000 + 300)
    assert.deepEqual(sent(phone, from), [], 'nothing is sent by a timer')
    const back = Date.now()
    await phone.foreground()
    await order(phone, 'tea')
    await wait(300)
    const all = sent(phone, from)
    // On a slow machine the next one may be due before the order is through.
    const due = 1 + Math.floor((Date.now() - back) / (REFRESH * 1000))
    assert.ok(refreshes(all).length >= 1 && refreshes(all).length <= due, all.join('\n'))
    assert.ok(refreshes(all).every(line => line.endsWith(' 200')), all.join('\n'))
    assert.ok(all.includes('POST /orders 201'))
    assert.ok(all.every(line => !line.includes(' 401')), all.join('\n'))
  })

  test('airplane mode in the middle of a refresh: nobody is logged out', async () => {
    const phone = await world.open('xiaoming')
    const { session_id: id } = await world.sessionOf('xiaoming')
    await wait(REFRESH * 1000 + 100)
    phone.loseAnswer('/session/refresh')
    await order(phone, 'tea')
    phone.airplane(true)
    await phone.tap('#order-tea')
    await phone.waitFor('网络不通')
    await picture(phone, 'offline')
    phone.airplane(false)
    await order(phone, 'tea')
    assert.equal((await world.sessionOf('xiaoming')).session_id, id)
    assert.equal(sent(phone).filter(line => line.startsWith('POST /yaopai/v1/session ')).length, 1)
    assert.ok(refreshes(sent(phone)).length > 0)
  })

  test('kicked from another device: told why, and logs in again', async () => {
    const phone = await world.open('xiaoming')
    const tablet = await world.open('xiaoming')
    await tablet.tap('我的')
    await tablet.waitFor('已登录的设备')
    const { session_id: id } = await world.sessionOf('xiaoming')
    await phone.tap('我的')
    await phone.waitFor('已登录的设备')
    await phone.waitFor('正在使用')
    const own = await phone.evaluate(({ pages }) => pages.at(-1).data.devices.find(device => device.current).id)
    assert.notEqual(own, id)
    await tablet.tab.locator(`wx-page:not(.away) [id$="--kick-${own}"]`).click()
    await picture(tablet, 'kick')
    await tablet.tap('确定')
    await tablet.waitFor('已下线')
    await phone.tap('商城')
    await phone.waitFor('你已在另一台设备上将本机下线')
    await picture(phone, 'kicked')
    await phone.tap('取消')
    const from = phone.requests().length
    await phone.tap('订单')
    await phone.waitFor('重新登录')
    assert.deepEqual(sent(phone, from), [], 'nobody logs in by itself')
    await phone.tap('#again')
    await phone.tap('商城')
    await phone.waitFor('小明，欢迎光临')
  })

  test('the session_key has changed: what WeChat seals is opened all the same', async () => {
    const phone = await world.open('xiaoming')
    await world.shop.sim.rotateSessionKey('xiaoming')
    await phone.tap('我的')
    const from = phone.requests().length
    await phone.tap('#steps')
    await phone.waitFor('今天 8042 步')
    const lines = sent(phone, from).filter(line => /decrypt|refresh/.test(line))
    // A refresh may have been due before.
    assert.deepEqual(lines.slice(lines.findIndex(line => line.includes('decrypt'))), [
      'POST /yaopai/v1/decrypt 409', 'POST /yaopai/v1/session/refresh 200', 'POST /yaopai/v1/decrypt 200',
    ])
  })

  test('a token and a captured request are worth nothing on another machine, and the audit log tells of them', async () => {
    const phone = await world.open('xiaoming')
    await order(phone, 'tea')
    const { headers, body } = phone.requests('POST http://127.0.0.1:8443/orders').at(-1)
    const { session_id: id } = await world.sessionOf('xiaoming')
    const before = (await world.shop.audit()).at(-1).seq
    const elsewhere = async fields => {
      const answer = await fetch(`${world.shop.url}/orders`, { method: 'POST', headers: { 'content-type': 'application/json', ...fields }, body })
      return answer.headers.get('yaopai-code')
    }
    const copied = ({ authorization, signature, 'signature-input': input, 'content-digest': digest }) => ({ authorization, signature, 'signature-input': input, 'content-digest': digest })
    assert.equal(await elsewhere({ authorization: headers.authorization }), 'proof_required')
    assert.match(await elsewhere(copied(headers)), /^proof_(replayed|invalid)$/)
    const rows = (await world.shop.audit(before)).filter(row => row.session_id === id && row.kind === 'proof')
    assert.ok(rows.length >= 1, 'a row for the owner to find')
    await order(phone, 'tea')
  })

  for (const [way, ms] of [['ahead', DAY], ['behind', -DAY]]) {
    test(`the clock is set, and is a day ${way} at the next start: no request is refused twice, and the person notices nothing`, async () => {
      const phone = await world.open('xiaoming')
      const { wrongClock = 0 } = world.quirks
      phone.client.quirks = { ...world.quirks, wrongClock: wrongClock + ms }
      await phone.restart()
      await phone.waitFor('小明，欢迎光临')
      await order(phone, 'tea')
      const refused = phone.requests().filter(({ status }) => status === 401)
      // Who remembers the session remembers how wrong the clock was, and it isn't wrong in that way any more. By that clock a
      // refresh may be due, which goes out beside the first request.
      assert.deepEqual([...new Set(refused.map(codeOf))], world.expected.remembered ? ['proof_stale'] : [])
      assert.equal(new Set(refused.map(({ url }) => url)).size, refused.length)
      await phone.tap('我的')
      await phone.waitFor('正在使用')
    })
  }
})
