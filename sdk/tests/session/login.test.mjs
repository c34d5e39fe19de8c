import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const many = (phone, n, more = {}) => {
  const one = i => new Promise((success, fail) => phone.wx.request({ url: `${shop}/orders/${i}`, ...more, success, fail }))
  return phone.run(Promise.all(Array.from({ length: n }, (_, i) => one(i))))
}
const sessions = phone => phone.server.sessions.size

test('single-flight login: 1,000 parallel first requests are one wx.login and one session', async () => {
  const phone = new Phone()
  phone.install()
  const all = await many(phone, 1000)
  assert.ok(all.every(res => res.statusCode === 200))
  assert.equal(phone.count('login'), 1)
  assert.equal(sessions(phone), 1)
  const nonces = phone.server.log.slice(1).map(r => /nonce="(\w+)"/.exec(r.headers['signature-input'])[1])
  assert.equal(new Set(nonces).size, 1000)
})

test('1,000 parallel first requests with a slow server', async () => {
  const phone = new Phone()
  phone.install()
  phone.fault('/session', 'slow', { ms: 20000 })
  await many(phone, 1000)
  assert.equal(phone.count('login'), 1)
  assert.equal(sessions(phone), 1)
})

test('1,000 parallel first requests with a server that fails once: the same code and request_id again', async () => {
  for (const fail of [phone => phone.server.refuse('/session', 'unavailable', 503, { retry: 1 }), phone => phone.fault('/session', 'unsent')]) {
    const phone = new Phone()
    phone.install()
    fail(phone)
    await many(phone, 1000)
    assert.equal(phone.count('login'), 1)
    assert.equal(sessions(phone), 1)
  }
})

test('1,000 parallel first requests with a login whose answer is lost', async () => {
  const phone = new Phone()
  phone.install()
  phone.fault('/session', 'lost')
  const all = await many(phone, 1000)
  assert.ok(all.every(res => res.statusCode === 200))
  assert.equal(phone.count('login'), 1)
  assert.equal(sessions(phone), 1)
  const logins = phone.server.log.filter(r => r.url.endsWith('/session')).map(r => r.body)
  assert.equal(logins.length, 2)
  assert.equal(logins[0], logins[1])
})

test('weRequest #36, #26, #79, wafer2 #10: parallel requests that all meet a dead session log in once', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  for (const s of phone.server.sessions.values()) s.ended = 'session_unknown'
  const all = await many(phone, 50)
  assert.ok(all.every(res => res.statusCode === 200))
  assert.equal(phone.count('login'), 2)
  assert.equal(sessions(phone), 2)
})

test('no wx.login when a valid session is stored', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  const again = phone.restart()
  again.install()
  assert.equal((await again.request(`${shop}/b`)).statusCode, 200)
  assert.equal(again.count('login'), 0)
  assert.equal(sessions(again), 1)
})

test('wafer2-startup #80: wx.checkSession is never asked; an expired session is replaced silently', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  await phone.clock.advance(2 * 3600 * 1000)
  assert.equal((await phone.request(`${shop}/b`)).statusCode, 200)
  assert.equal(phone.count('checkSession'), 0)
  assert.equal(phone.count('login'), 2)
})

test('code_used: another code and request_id, and no third', async () => {
  const phone = new Phone()
  const client = phone.create()
  phone.server.refuse('/session', 'code_used', 400)
  await phone.run(client.login())
  assert.equal(phone.count('login'), 2)
  const logins = phone.server.log.map(r => JSON.parse(r.body))
  assert.notEqual(logins[0].request_id, logins[1].request_id)
  assert.notEqual(logins[0].code, logins[1].code)
  const other = new Phone()
  const b = other.create()
  for (let i = 0; i < 3; i++) other.server.refuse('/session', 'code_invalid', 400)
  await assert.rejects(other.run(b.login()), e => e.code === 'code_invalid' && e.status === 400)
  assert.equal(other.count('login'), 2)
})

test('platform_busy: waits Retry-After, then a new code', async () => {
  const phone = new Phone()
  const client = phone.create()
  phone.server.refuse('/session', 'platform_busy', 503, { retry: 3 })
  const before = phone.clock.time
  await phone.run(client.login())
  assert.equal(phone.count('login'), 2)
  assert.ok(phone.clock.time - before >= 3000)
})

test('another kind of key than was asked for is refused, and the token dropped unused', async () => {
  for (const key of [undefined, { alg: 'none', secret: 'x' }, { alg: 'hmac-sha256' }, { alg: 'hmac-sha256', secret: 'c2hvcnQ=' }]) {
    const phone = new Phone()
    const client = phone.create()
    const login = phone.server.login.bind(phone.server)
    phone.server.login = body => {
      const answer = login(body)
      return { ...answer, body: { ...answer.body, key } }
    }
    await assert.rejects(phone.run(client.login()), { code: 'key_refused' })
    assert.equal(client.session, undefined)
    assert.equal(phone.storage.size, 0)
  }
})

test('token and key are stored in one write, encrypted', async () => {
  const phone = new Phone()
  await phone.run(phone.create().login())
  assert.equal(phone.count('setStorage'), 1)
  const { data, encrypt } = phone.storage.get('yaopai')
  assert.equal(encrypt, true)
  const stored = JSON.parse(data)
  assert.match(stored.token, /^yp1_/)
  assert.equal(Buffer.from(stored.key, 'base64').length, 32)
})

test('storage failure: memory only', async () => {
  const phone = new Phone()
  phone.storageFails = true
  phone.install()
  await phone.request(`${shop}/a`)
  assert.equal((await phone.request(`${shop}/b`)).statusCode, 200)
  assert.equal(phone.count('login'), 1)
})

test('a stored session of another server, app or mode is not shown', async () => {
  const phone = new Phone()
  await phone.run(phone.create().login())
  const again = phone.restart()
  const client = again.create({ server: { develop: 'https://trial.example', release: shop }, hosts: ['https://trial.example'] })
  await again.run(client.login())
  assert.equal(again.count('login'), 0)
  const other = phone.restart()
  other.options.version = 'develop'
  await other.run(other.create({ server: { trial: 'https://trial.example', release: shop } }).login()).catch(() => 0)
  assert.equal(other.count('login'), 1)
  assert.match(other.server.log.at(-1).url, /^https:\/\/trial\.example/)
})

test('env_version and device go with the login', async () => {
  const phone = new Phone({ version: 'trial' })
  await phone.run(phone.create({ device: { id: 'd-17', type: 'phone' } }).login())
  const body = JSON.parse(phone.server.log[0].body)
  assert.equal(body.env_version, 'trial')
  assert.deepEqual(body.device, { id: 'd-17', type: 'phone' })
  assert.deepEqual(body.key, { alg: 'hmac-sha256' })
})

test('Promise as a macrotask: the same', async () => {
  const phone = new Phone({ macrotask: true })
  phone.install()
  await many(phone, 30)
  assert.equal(phone.count('login'), 1)
})
