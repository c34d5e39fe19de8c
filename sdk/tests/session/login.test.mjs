import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Clock, Phone, Server, shop } from '../support/phone.mjs'

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

test('no answer: the same again after 1 s, 2 s, 4 s, then it gives up', async () => {
  const phone = new Phone()
  const client = phone.create()
  for (let i = 0; i < 4; i++) phone.fault('/session', 'unsent')
  const before = phone.clock.time
  await assert.rejects(phone.run(client.login()), e => e.code === 'network' && e.status === 0)
  assert.equal(phone.count('request'), 4)
  assert.equal(phone.count('login'), 1)
  assert.ok(phone.clock.time - before >= 7000)
})

test('quota guard: at most four wx.login a second and ten a minute', async () => {
  const phone = new Phone({ latency: 1 })
  phone.install()
  const times = []
  const login = phone.wx.login
  phone.wx.login = o => (times.push(phone.clock.time), login(o))
  const again = new Phone({ clock: phone.clock, server: phone.server, wx: wx => Object.assign(wx, { login: phone.wx.login }) })
  const client = again.create()
  await again.run(client.login())
  let quota
  for (let i = 0; i < 15 && !quota; i++) await again.run(client.stepUp()).catch(e => (quota = e))
  assert.equal(quota.code, 'login_quota')
  assert.equal(times.length, 10)
  for (let i = 4; i < times.length; i++) assert.ok(times[i] - times[i - 4] >= 1000)
})

test('back-off on 45011: wx.login that fails is asked again after seconds, not at once', async () => {
  let failures = 2
  const times = []
  const phone = new Phone({
    wx(wx, self) {
      const login = wx.login
      wx.login = o => {
        times.push(self.clock.time)
        return failures-- > 0 ? o.fail({ errMsg: 'login:fail 45011', errno: 45011 }) : login(o)
      }
    },
  })
  await phone.run(phone.create().login())
  assert.deepEqual([times[1] - times[0], times[2] - times[1]], [2000, 4000])
})

test('logins that fail are no storm: requests in the meantime fail at once', async () => {
  const phone = new Phone()
  phone.install()
  for (let i = 0; i < 40; i++) phone.server.refuse('/session', 'platform_blocked', 403)
  for (let i = 0; i < 20; i++) await phone.request(`${shop}/a`).then(() => assert.fail(), e => assert.equal(e.code, 'platform_blocked'))
  assert.equal(phone.count('login'), 1)
  assert.equal(phone.modals.length, 1)
})

test('a 401 loop is bounded: a check that never knows the session costs ten logins a minute at most', async () => {
  const phone = new Phone()
  phone.install()
  for (let i = 0; i < 400; i++) phone.server.refuse('/orders', 'session_unknown', 401)
  for (let i = 0; i < 50; i++) assert.equal((await phone.request(`${shop}/orders`).catch(e => ({ statusCode: e.code }))).statusCode === 200, false)
  assert.ok(phone.count('login') <= 11, String(phone.count('login')))
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

for (const [code, status] of [['session_kicked', 401], ['session_replaced', 401], ['session_ended', 401], ['user_disabled', 403]]) {
  test(`${code}: the person is told once, and nobody logs in until the person wants to`, async () => {
    const phone = new Phone()
    const client = phone.install()
    await phone.request(`${shop}/a`)
    for (let i = 0; i < 5; i++) phone.server.refuse('/b', code, status)
    const all = await many(phone, 5, { url: `${shop}/b` })
    assert.ok(all.every(res => res.statusCode === status))
    assert.equal(phone.modals.length, 1)
    // WeChat refuses longer ones, and then the person is told nothing.
    assert.ok(phone.modals[0].confirmText.length <= 4 && phone.modals[0].cancelText.length <= 4)
    await assert.rejects(phone.request(`${shop}/c`), e => e.code === code && e.errMsg.startsWith('request:fail'))
    assert.equal(phone.count('login'), 1)
    await phone.run(client.login())
    assert.equal(phone.count('login'), 2)
    assert.equal((await phone.request(`${shop}/c`)).statusCode, 200)
  })
}

test('the person who presses "log in" at the end of a session is logged in', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  phone.confirms = true
  phone.server.refuse('/b', 'session_kicked', 401)
  await phone.request(`${shop}/b`)
  assert.equal(phone.modals[0].confirmText, '重新登录')
  await phone.clock.advance(1000)
  assert.equal((await phone.request(`${shop}/c`)).statusCode, 200)
  assert.equal(phone.count('login'), 2)
})

test('messages are in the phone\'s language, or the one that was chosen', async () => {
  for (const [language, option, want] of [['zh_CN', undefined, /登录/], ['en', undefined, /logged out/], ['zh_CN', 'en', /logged out/]]) {
    const phone = new Phone({ language })
    const told = []
    phone.install({ language: option, onEnd: end => told.push(end) })
    await phone.request(`${shop}/a`)
    phone.server.refuse('/b', 'session_kicked', 401)
    await phone.request(`${shop}/b`)
    assert.equal(told.length, 1)
    assert.equal(told[0].code, 'session_kicked')
    assert.match(told[0].message, want)
    assert.equal(phone.modals.length, 0)
  }
})

test('Promise as a macrotask: the same', async () => {
  const phone = new Phone({ macrotask: true })
  phone.install()
  await many(phone, 30)
  assert.equal(phone.count('login'), 1)
  const clock = new Clock()
  assert.ok(new Server(clock))
})

test('a clock that is set back stops no login for good', async () => {
  const phone = new Phone()
  const client = phone.install()
  phone.server.refuse('/session', 'platform_blocked', 403)
  await phone.request(`${shop}/a`).catch(() => 0)
  phone.skew = -86400000
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  for (let i = 0; i < 9; i++) await phone.run(client.stepUp()).catch(() => 0)
  phone.skew = -2 * 86400000
  await phone.run(client.stepUp())
})

test('after the pause that follows a failed login, and at once when it is asked for, a login is tried again', async () => {
  const phone = new Phone()
  const client = phone.install()
  for (let i = 0; i < 2; i++) phone.server.refuse('/session', 'platform_blocked', 403)
  await assert.rejects(phone.request(`${shop}/a`))
  await assert.rejects(phone.request(`${shop}/a`))
  await phone.clock.advance(1500)
  await assert.rejects(phone.request(`${shop}/a`))
  await assert.rejects(phone.request(`${shop}/a`))
  assert.equal(phone.count('login'), 2)
  await phone.run(client.login())
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  const other = new Phone()
  other.install()
  other.server.refuse('/session', 'platform_blocked', 403)
  await assert.rejects(other.request(`${shop}/a`))
  await assert.rejects(other.request(`${shop}/a`))
  await other.clock.advance(1500)
  assert.equal((await other.request(`${shop}/a`)).statusCode, 200)
})
