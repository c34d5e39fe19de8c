// The old mini program before and after the one line: the same taps, the same outcome.

import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startClub } from '../../../examples/old-miniprogram/server/run.mjs'
import { closeBrowser, startPhone } from '../../phone/driver/phone.mjs'
import { chosen } from '../quirks.mjs'
import { picture, sent } from '../world.mjs'

const here = path => fileURLToPath(new URL(path, import.meta.url))

after(closeBrowser)

/** The club in that state, and a member's phone before it. */
async function open(t, state, quirks) {
  const club = await startClub(state)
  t.after(() => club.stop())
  const phone = await startPhone({
    folder: here(`../../../examples/old-miniprogram/${state}`),
    packages: { yaopai: process.env.SDK || here('../../../sdk') },
    sim: club.sim,
    person: 'lilei',
    hosts: { 'http://127.0.0.1:8480': club.url },
    name: '城南俱乐部',
    quirks,
  })
  t.after(() => phone.close())
  phone.patience = () => 30_000
  return phone
}

/** What a member does, with either. */
async function book(t, state, quirks) {
  const phone = await open(t, state, quirks)
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
}

// As it was it is no work of ours, so it has to run on a phone as it should be, and no other.
test('before: courses into the cart, bound on the way, booked', t => book(t, 'before', {}))

for (const { name, quirks, expected } of chosen()) {
  describe(name, () => {
    if (expected.movedByOneLine) {
      test('after: courses into the cart, bound on the way, booked', t => book(t, 'after', quirks))
    } else {
      test('after: the line alone is not enough here, and what it can’t reach it leaves as it was', async t => {
        const phone = await open(t, 'after', quirks)
        for (const until = Date.now() + 30_000; !sent(phone).includes('GET /courses 401'); await new Promise(done => setTimeout(done, 20))) {
          assert.ok(Date.now() < until, sent(phone).join('\n'))
        }
        assert.deepEqual(sent(phone), ['GET /courses 401'])
        assert.deepEqual(Object.keys(phone.requests()[0].headers).filter(field => /^(authorization|signature|cookie)/.test(field)), [])
        assert.equal(await phone.evaluate(({ wx }) => Boolean(wx.request.yaopai)), false)
      })
    }
  })
}
