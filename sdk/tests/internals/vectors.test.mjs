import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { source } from './source.mjs'

const { sha256, hmac, utf8, base64, unbase64, signature, place, wechatKey } = await source(
  'sign/sha256', 'sign/bytes', 'sign/sign', 'request/url', 'wechat-key/index',
)

const hex = bytes => Buffer.from(bytes).toString('hex')

test('RFC 9421 B.2.5: HMAC-SHA256', () => {
  const key = unbase64('uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==')
  const base = [
    '"date": Tue, 20 Apr 2021 02:07:55 GMT',
    '"@authority": example.com',
    '"content-type": application/json',
    '"@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
  ].join('\n')
  assert.equal(base64(hmac(key, utf8(base))), 'pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=')
})

test('the whole example of docs/signatures.md', () => {
  const token = 'yp1_AaIDSM7Vcv6Noc27NCDclmRlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn-AgYKDjn1s9Q'
  const fields = signature(
    { _method: 'POST', _place: place('https://shop.example/orders?from=cart'), _body: '{"item":"tea"}' },
    `Bearer ${token}`, unbase64('pHEIELioSuwGRk/XssYu+gOdy4iBb9h2Z08Fv7Dk1xc='), '01a20348-ced5-72fe-8da1-cdbb3420dc96', 1764230400999,
    'kQ4mGx0f3NvZ1r7bW2yHcA',
  )
  assert.equal(fields.signature, 'yaopai=:F1coOc1/X84eQuDU1NnhaSYckFFk+fnrWLhP2tbyMkI=:')
  assert.equal(fields['content-digest'], 'sha-256=:tdxX0vdE8EQzR3lLhKb8iVZWbg/S+KMw0XMB1d38RNc=:')
})

test('WeChat\'s key: the example of docs/signatures.md', async () => {
  const wx = { getUserCryptoManager: () => ({ getLatestUserKey: o => o.success({ encryptKey: 'AAECAwQFBgcICQoLDA0ODw==', version: 3, expireTime: 3600 }) }) }
  const key = await wechatKey().latest(wx)
  assert.equal(base64(key.derive('01a20348-ced5-72fe-8da1-cdbb3420dc96', hmac)), 'pAFoMOhfFFiuR6rtGOv4oasxom0OJm3bKgjIgNdD/Mo=')
})

test('SHA-256, HMAC, base64 and UTF-8 are Node\'s', () => {
  for (let i = 0; i < 300; i++) {
    const data = randomBytes(i)
    const key = randomBytes(i % 65)
    assert.equal(hex(sha256(data)), createHash('sha256').update(data).digest('hex'))
    assert.equal(hex(hmac(key, data)), createHmac('sha256', key).update(data).digest('hex'))
    assert.equal(base64(data), data.toString('base64'))
    assert.equal(hex(unbase64(data.toString('base64'))), data.toString('hex'))
  }
  for (const text of ['', 'a', 'é', '茶', '😀', 'a😀茶é', '\ud800', '\udc00a', 'x\ud83d', '\ud83d\ud83d\ude00', '\uffff\u0800\u07ff\u0080']) {
    assert.equal(hex(utf8(text)), Buffer.from(text).toString('hex'))
  }
})

test('SHA-256\'s constants: no root is so near a whole number that an engine\'s last bit decides', () => {
  let n = 2
  for (let found = 0; found < 64; n++) {
    if ([...Array(n).keys()].slice(2).some(d => n % d === 0)) continue
    found++
    for (const root of [Math.sqrt(n), Math.cbrt(n)]) {
      const x = (root * 4294967296) % 1
      // One unit in the last place of such a root is 4e-6 of these.
      assert.ok(x > 1e-4 && x < 1 - 1e-4, `${n}`)
    }
  }
})
