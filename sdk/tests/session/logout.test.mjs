import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

test('a logout without a session at hand holds as well: no request logs in until login()', async () => {
  const phone = new Phone()
  const client = phone.install()
  await phone.run(client.logout())
  await assert.rejects(phone.request(`${shop}/a`), { code: 'session_ended' })
  assert.equal(phone.count('login'), 0)
  await phone.run(client.login())
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
})

test('a logout while a login fails: the person\'s wish holds, and no error is the person\'s to see', async () => {
  const phone = new Phone()
  const client = phone.install({ onEnd() {} })
  phone.server.refuse('/session', 'platform_blocked', 403)
  const first = new Promise((success, fail) => phone.wx.request({ url: `${shop}/a`, success, fail }))
  await phone.clock.advance(5)
  await phone.run(client.logout())
  await assert.rejects(phone.run(first), { code: 'platform_blocked' })
  await phone.clock.advance(5000)
  await assert.rejects(phone.request(`${shop}/a`), { code: 'session_ended' })
  assert.equal(phone.count('login'), 1)
})
