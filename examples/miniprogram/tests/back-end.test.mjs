// The parts of the back end that a team copies, by themselves.

import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { Accounts, PEOPLE, masked } from '../server/accounts.mjs'
import { isBodyAsSigned } from '../server/body-digest.mjs'
import { qr } from '../server/qr.mjs'
import { nginxConfig } from '../server/stack/nginx.mjs'
import { set } from '../server/stack/server.mjs'
import { Webhook, isSigned } from '../server/webhook.mjs'

const KEY = Buffer.alloc(32, 7)
const NOW = 1_800_000_000_000

const headers = (body, { id = 'm', seconds = NOW / 1000, key = KEY } = {}) => ({
  'webhook-id': id,
  'webhook-timestamp': String(seconds),
  'webhook-signature': `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`,
})

test('a webhook call that is not signed is not answered', () => {
  const body = '{"type":"resolve"}'
  const right = headers(body)
  assert.ok(isSigned(KEY, right, body, NOW))
  assert.ok(isSigned(KEY, { ...right, 'webhook-signature': `v1,other ${right['webhook-signature']}` }, body, NOW), 'one of two keys')
  assert.ok(!isSigned(KEY, right, '{"type":"bind"}', NOW), 'another body')
  assert.ok(!isSigned(KEY, headers(body, { key: Buffer.alloc(32, 8) }), body, NOW), 'another key')
  assert.ok(!isSigned(KEY, { ...right, 'webhook-id': 'n' }, body, NOW), 'another id')
  assert.ok(!isSigned(KEY, { ...right, 'webhook-timestamp': String(NOW / 1000 + 1) }, body, NOW), 'another time')
  for (const apart of [-301, 301]) assert.ok(!isSigned(KEY, headers(body, { seconds: NOW / 1000 + apart }), body, NOW), `${apart} s`)
  for (const apart of [-299, 299]) assert.ok(isSigned(KEY, headers(body, { seconds: NOW / 1000 + apart }), body, NOW), `${apart} s`)
  for (const name of Object.keys(right)) assert.ok(!isSigned(KEY, { ...right, [name]: undefined }, body, NOW), `without ${name}`)
  assert.ok(!isSigned(KEY, headers(body, { seconds: 'NaN' }), body, NOW))
  assert.ok(!isSigned(KEY, { ...right, 'webhook-signature': 'v1,' }, body, NOW))
})

test('a body that is not the signed one is seen', () => {
  const digest = body => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
  const request = (signed, ...values) => ({ headers: { 'yaopai-body-signed': signed }, headersDistinct: { 'content-digest': values } })
  const body = Buffer.from('tea')
  assert.ok(isBodyAsSigned({ headers: {}, headersDistinct: {} }, body), 'nobody has signed anything')
  assert.ok(isBodyAsSigned(request('1', digest('tea')), body))
  assert.ok(!isBodyAsSigned(request('1', digest('gold')), body))
  assert.ok(!isBodyAsSigned({ headers: { 'yaopai-body-signed': '1' }, headersDistinct: {} }, body), 'no digest')
  assert.ok(!isBodyAsSigned(request('1', digest('tea'), digest('tea')), body), 'two fields')
  assert.ok(!isBodyAsSigned(request('1', `${digest('tea')}, ${digest('gold')}`), body), 'two members')
  assert.ok(!isBodyAsSigned(request('1', `${digest('tea')}, junk`), body))
})

test('an account is found by its own password only, and none is kept', () => {
  const accounts = new Accounts()
  for (const { id, account, password } of PEOPLE) {
    const row = accounts.byPassword(account, password)
    assert.equal(row.id, id)
    assert.ok(!JSON.stringify(row).includes(password))
  }
  for (const [account, password] of [['lilei', 'noodles-88'], ['nobody', 'noodles-88'], ['lilei', ''], ['lilei', undefined], [undefined, undefined], ['__proto__', 'x']]) {
    assert.equal(accounts.byPassword(account, password), undefined, `${account} ${password}`)
  }
  assert.equal(accounts.byOpenid(null), undefined, 'an unbound account is nobody’s')
  assert.equal(accounts.byPhone(undefined), undefined, 'an account without a number is not found by none')
})

test('who binds another account has left the one before', () => {
  const accounts = new Accounts()
  const webhook = new Webhook(`whsec_${KEY.toString('base64')}`, accounts)
  const asked = (type, data) => {
    const body = JSON.stringify({ type, data })
    const response = { writeHead: () => response, end: text => (response.text = text) }
    webhook.answer({ headers: headers(body, { seconds: Math.floor(Date.now() / 1000) }) }, response, body)
    return JSON.parse(response.text).user
  }
  for (const { id, account, password } of PEOPLE.slice(0, 2)) {
    assert.equal(asked('bind', { openid: 'o', way: 'form', form: { account, password } }), id)
    assert.equal(asked('resolve', { openid: 'o' }), id)
  }
  // As /unlink does: then nobody's, and not the first one's again.
  accounts.byOpenid('o').openid = null
  assert.equal(asked('resolve', { openid: 'o' }), null)
})

test('an account is masked', () => {
  assert.equal(masked('hanmeimei'), 'ha***ei')
  assert.equal(masked('韩梅梅的店'), '韩梅***的店')
})

test('nginx runs the example’s configuration with other ports and routes', () => {
  const config = nginxConfig({ ports: { front: 1, public: 2, check: 3, shop: 4 }, routes: 'location = /mine { }\n' })
  assert.ok(config.includes('location = /mine { }') && !config.includes('/catalogue/'))
  assert.ok(!/127\.0\.0\.1:(97|84|80)\d\d/.test(config))
  assert.equal(config.match(/proxy_set_header Yaopai-/g).length, 10)
})

test('a key of the configuration is set in its own section, or not at all', () => {
  const text = 'a = 1\n\n[one]\n# b = 2   # two\n\n[two]\nb = 3\n# [three]\n'
  assert.equal(set(text, '[one]', 'b', 'x'), text.replace('# b = 2   # two', 'b = "x"'))
  assert.equal(set(text, '[two]', 'b', 4), text.replace('b = 3', 'b = 4'))
  assert.equal(set(text, '', 'a', true), text.replace('a = 1', 'a = true'))
  assert.throws(() => set(text, '[one]', 'a', 1), /no \[one\] a/)
  assert.throws(() => set(text, '[four]', 'a', 1), /no \[four\] a/)
})

test('a bind code is drawn as a reader of QR codes has read it', () => {
  // jsQR 1.4.0 has read this very drawing, and those of one character and of 42.
  const drawn = qr('yb_sRCXiv7yg_fkVg0iq57DKw').map(row => row.join('')).join('\n')
  assert.equal(createHash('sha256').update(drawn).digest('hex'), 'dc7030b4dc301d50b00bd3a9ff025be675f83c06a5bba4e5645ef23d5cecc1ef')
  assert.throws(() => qr('x'.repeat(43)), /too long/)
})
