import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from './support/phone.mjs'

test('a first request logs in, is signed and passes', async () => {
  const phone = new Phone()
  const client = phone.install()
  assert.equal(client.installed, true)
  const res = await phone.request(`${shop}/orders?a=1`)
  assert.equal(res.statusCode, 200)
  assert.equal(phone.count('login'), 1)
  assert.equal(phone.server.log.length, 2)
  assert.match(phone.server.log[1].headers['signature-input'], /keyid/)
})
