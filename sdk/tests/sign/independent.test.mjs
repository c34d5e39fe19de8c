// Whole requests as they left the phone, verified by another implementation of RFC 9421.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createVerifier, httpbis } from 'http-message-signatures'
import { Phone, shop } from '../support/phone.mjs'

async function verify(phone, request) {
  const [s] = phone.server.sessions.values()
  const verifier = createVerifier(s.secret, 'hmac-sha256')
  const config = { notAfter: 2 ** 40, keyLookup: async ({ keyid }) => keyid === s.id && { id: keyid, algs: ['hmac-sha256'], verify: verifier } }
  const message = { method: request.method, url: request.url, headers: request.headers }
  assert.equal(await httpbis.verifyMessage(config, message), true)
  assert.notEqual(await httpbis.verifyMessage(config, { ...message, method: 'PATCH' }).catch(() => false), true)
  assert.notEqual(await httpbis.verifyMessage(config, { ...message, url: request.url + 'x' }).catch(() => false), true)
}

test('requests of every kind verify by http-message-signatures, and nothing else does', async () => {
  const phone = new Phone()
  phone.install()
  for (const o of [
    { url: '/' }, { url: '' }, { url: '/订单?名=茶' }, { url: '/a?x=1&y=%20' }, { url: '/a', data: { q: '茶 1' } },
    { url: '/a', method: 'POST' }, { url: '/a', method: 'POST', data: { a: '茶' } }, { url: '/a', method: 'PUT', data: 'x'.repeat(65536) },
    { url: '/a', method: 'DELETE' }, { url: '/a?b', method: 'HEAD' }, { url: '/a', method: 'POST', data: new Uint8Array([1, 2, 255]).buffer },
  ]) {
    assert.equal((await phone.request({ ...o, url: shop + o.url })).statusCode, 200)
    await verify(phone, phone.server.log.at(-1))
  }
})
