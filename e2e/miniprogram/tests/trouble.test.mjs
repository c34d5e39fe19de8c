// What goes wrong in a day: sleep, airplanes, other devices, thieves.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { World, order, picture, sent } from '../world.mjs'

/** Seconds after which the server asks for a refresh. It has the real clock, so this is waited for. */
const REFRESH = 2

let world

before(async () => { world = await World.start({ refresh: REFRESH, idle: 60 }) })
after(() => world?.close())

const refreshes = requests => requests.filter(line => line.includes('/session/refresh'))

test('long in the background: one refresh, and the request passes', async () => {
  const phone = await world.open('xiaoming')
  await phone.background()
  const from = phone.requests().length
  await wait(REFRESH * 1000 + 300)
  assert.deepEqual(sent(phone, from), [], 'nothing is sent by a timer')
  await phone.foreground()
  await order(phone, 'tea')
  await wait(300)
  const all = sent(phone, from)
  assert.deepEqual(refreshes(all), ['POST /yaopai/v1/session/refresh 200'])
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
  const data = { custom: { stepInfoList: [{ timestamp: Math.floor(Date.now() / 1000), step: 8042 }] } }
  // What the phone's WeChat does in `wx.getWeRunData`: counts, and seals with the key of now.
  await phone.tab.exposeFunction('count', () => world.shop.sim.control('encrypted-data', { user: 'xiaoming', data }))
  await phone.evaluate(({ wx }) => { wx.getWeRunData = ({ success, fail }) => globalThis.count().then(success, fail) })
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

test('a clock that is wrong by a day costs one request', async () => {
  const phone = await world.open('xiaoming', { clockOffset: 86_400_000 })
  await order(phone, 'tea')
  assert.ok(sent(phone).filter(line => line.endsWith(' 401')).length <= 1, sent(phone).join('\n'))
})
