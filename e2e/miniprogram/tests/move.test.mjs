// The old mini program before and after the one line: the same taps, the same outcome.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startClub } from '../../../examples/old-miniprogram/server/run.mjs'
import { closeBrowser, startPhone } from '../../phone/driver/phone.mjs'
import { picture, sent } from '../world.mjs'

const here = path => fileURLToPath(new URL(path, import.meta.url))

after(closeBrowser)

for (const state of ['before', 'after']) {
  test(`${state}: courses into the cart, bound on the way, booked`, async t => {
    const club = await startClub(state)
    t.after(() => club.stop())
    const phone = await startPhone({
      folder: here(`../../../examples/old-miniprogram/${state}`),
      packages: { yaopai: process.env.SDK || here('../../../sdk') },
      sim: club.sim,
      person: 'lilei',
      hosts: { 'http://127.0.0.1:8480': club.url },
      name: '城南俱乐部',
    })
    t.after(() => phone.close())
    phone.patience = () => 30_000
    await phone.waitFor('太极拳')
    await picture(phone, `old-${state}-courses`)
    await phone.tap('#add-2')
    await phone.waitFor('已加入')
    await phone.tap('我的')
    await phone.waitFor('国画')
    await phone.tap('#book')
    await phone.waitForPage('pages/bind/bind')
    await phone.fill('#account', 'lilei')
    await phone.fill('#password', 'dumpling-42')
    await phone.tap('#submit')
    await phone.waitForPage('pages/mine/mine')
    await phone.waitFor('李雷')
    await phone.tap('#book')
    await phone.waitFor('周三 18:30')
    await picture(phone, `old-${state}-booked`)

    assert.deepEqual(phone.errors(), [])
    const logins = sent(phone).filter(line => /\/login |\/v1\/session /.test(line) && line.startsWith('POST'))
    assert.deepEqual(logins, [state === 'before' ? 'POST /login 200' : 'POST /yaopai/v1/session 201'])
    const cookies = phone.requests().filter(({ headers }) => /JSESSIONID=/.test(headers.cookie ?? '')).map(({ headers }) => headers.cookie)
    assert.ok(cookies.length > 3 && new Set(cookies).size === 1, 'one session of the back end’s, from the first answer on')
  })
}
