import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

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
