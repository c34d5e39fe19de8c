import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const many = (phone, n, more = {}) => {
  const one = i => new Promise((success, fail) => phone.wx.request({ url: `${shop}/orders/${i}`, ...more, success, fail }))
  return phone.run(Promise.all(Array.from({ length: n }, (_, i) => one(i))))
}

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

test('a refusal that the person must hear is told once a session', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  for (let i = 0; i < 5; i++) phone.server.refuse('/b', 'app_not_allowed', 403)
  for (let i = 0; i < 5; i++) assert.equal((await phone.request(`${shop}/b`)).statusCode, 403)
  assert.equal(phone.modals.length, 1)
  assert.equal(phone.modals[0].showCancel, false)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
})

test('user_disabled about the session before ends nothing', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  phone.fault('/late', 'slow', { ms: 5000 })
  phone.server.refuse('/late', 'user_disabled', 403)
  const late = new Promise((success, fail) => phone.wx.request({ url: `${shop}/late`, success, fail }))
  await phone.clock.advance(10)
  for (const s of phone.server.sessions.values()) s.ended = 'session_expired'
  await phone.request(`${shop}/a`)
  assert.equal((await phone.run(late)).statusCode, 403)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  assert.equal(phone.modals.length, 0)
})
