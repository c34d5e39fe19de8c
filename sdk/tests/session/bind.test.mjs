import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const form = { form: { name: 'alice', password: 's3cret' } }
const at = phone => phone.pages.map(p => p.route.split('/').pop())

test('unibest #338: not_bound, fifty at a time, is one navigation to the bind page', async () => {
  const phone = new Phone()
  phone.install()
  phone.server.needs.bound = true
  const all = await phone.run(Promise.all(Array.from({ length: 50 }, () => new Promise((success, fail) => phone.wx.request({ url: `${shop}/a`, success, fail })))))
  assert.ok(all.every(res => res.statusCode === 403))
  await phone.clock.advance(1000)
  assert.deepEqual(at(phone), ['home', 'bind'])
  assert.equal(phone.count('navigateTo'), 1)
})

test('answers that come after the person has left the bind page do not bring it back', async () => {
  const phone = new Phone()
  phone.install()
  phone.server.needs.bound = true
  phone.fault('/slow', 'slow', { ms: 5000 })
  const slow = new Promise((success, fail) => phone.wx.request({ url: `${shop}/slow`, success, fail }))
  await phone.request(`${shop}/a`)
  await phone.clock.advance(100)
  phone.pages.pop()
  await phone.run(slow)
  await phone.clock.advance(1000)
  assert.deepEqual(at(phone), ['home'])
})

test('a request in the background shows no bind page', async () => {
  const phone = new Phone()
  phone.install()
  phone.server.needs.bound = true
  await phone.request({ url: `${shop}/a`, header: { 'yaopai-background': '1' } })
  await phone.clock.advance(1000)
  assert.deepEqual(at(phone), ['home'])
})

test('a bind goes back to where the person was, and requests pass', async () => {
  const phone = new Phone()
  const client = phone.install()
  phone.server.needs.bound = true
  await phone.request(`${shop}/a`)
  await phone.clock.advance(100)
  phone.pages.push({ route: 'pages/sms/sms', options: {} })
  const session = await phone.run(client.bind(form))
  await phone.clock.advance(100)
  assert.equal(session.user, 'alice')
  assert.deepEqual(session.claims, { roles: ['buyer'] })
  assert.deepEqual(at(phone), ['home'])
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
})

test('a page stack of ten: redirectTo, and back to the page with its options', async () => {
  const phone = new Phone()
  const client = phone.install()
  phone.server.needs.bound = true
  phone.pages = Array.from({ length: 10 }, (_, i) => ({ route: `pages/p/p${i}`, options: { id: String(i), name: '%E8%8C%B6' } }))
  await phone.request(`${shop}/a`)
  await phone.clock.advance(100)
  assert.equal(phone.count('navigateTo'), 0)
  assert.equal(at(phone).pop(), 'bind')
  await phone.run(client.bind(form))
  await phone.clock.advance(100)
  assert.equal(at(phone).pop(), 'p9')
  assert.equal(phone.pages.at(-1).options.id, '9')
  assert.equal(phone.pages.length, 10)
})

test('a bind page that the person opened is left, too; without one nothing moves', async () => {
  const phone = new Phone()
  const client = phone.install()
  phone.pages.push({ route: 'pages/bind/bind', options: {} })
  await phone.run(client.bind(form))
  await phone.clock.advance(100)
  assert.deepEqual(at(phone), ['home'])
  await phone.run(client.bind(form))
  await phone.clock.advance(100)
  assert.deepEqual(at(phone), ['home'])
})

test('binding_rejected: the back end\'s own words, and the next try is a new intention', async () => {
  const phone = new Phone()
  const client = phone.create()
  await assert.rejects(phone.run(client.bind({ form: { name: 'alice', password: 'no' } })), e => {
    return e.code === 'binding_rejected' && e.status === 422 && e.message === 'Wrong name or password'
  })
  await phone.run(client.bind(form))
  const ids = phone.server.log.filter(r => r.url.endsWith('/binding')).map(r => JSON.parse(r.body).request_id)
  assert.notEqual(ids[0], ids[1])
})

test('a bind whose answer is lost is sent again with the same request_id, and the back end judges once', async () => {
  const phone = new Phone()
  const client = phone.create()
  phone.fault('/binding', 'lost')
  await phone.run(client.bind(form))
  assert.equal(phone.server.bindCalls, 1)
  assert.equal(client.session.bound, true)
})

test('a bind in a session that is over goes on in a new one', async () => {
  const phone = new Phone()
  const client = phone.create()
  await phone.run(client.login())
  for (const s of phone.server.sessions.values()) s.ended = 'session_expired'
  assert.equal((await phone.run(client.bind(form))).user, 'alice')
  assert.equal(phone.count('login'), 2)
})

test('a bind to another user steps up by itself', async () => {
  const phone = new Phone()
  const client = phone.create()
  await phone.run(client.bind(form))
  phone.server.refuse('/binding', 'login_required', 401)
  const session = await phone.run(client.bind({ form: { name: 'bob', password: 'hunter2' } }))
  assert.equal(session.user, 'bob')
  assert.equal(phone.count('login'), 2)
})

test('a bind by a phone code', async () => {
  const phone = new Phone()
  const client = phone.create()
  assert.equal((await phone.run(client.bind({ phoneCode: 'phone-ok' }))).user, 'alice')
  assert.equal((await phone.run(client.phone('x'))).phone, '13800138000')
  assert.equal((await phone.run(client.preview('yb_1'))).account, '138****8000')
})

test('a request that was not bound yet when it was sent is sent again after the bind', async () => {
  const phone = new Phone()
  const client = phone.install()
  await phone.request(`${shop}/a`)
  phone.server.needs.bound = true
  phone.fault('/late', 'slow', { ms: 3000 })
  const late = new Promise((success, fail) => phone.wx.request({ url: `${shop}/late`, method: 'POST', data: {}, success, fail }))
  await phone.clock.advance(10)
  await phone.run(client.bind(form))
  assert.equal((await phone.run(late)).statusCode, 200)
  assert.equal(phone.count('navigateTo'), 0)
})

test('Yaopai-Bound: who it is, is read once, and the bind page is left', async () => {
  const phone = new Phone()
  const client = phone.install()
  phone.server.needs.bound = true
  await phone.request(`${shop}/a`)
  await phone.clock.advance(100)
  const [s] = phone.server.sessions.values()
  Object.assign(s, { user: 'alice', tellBound: true })
  await phone.run(Promise.all(Array.from({ length: 5 }, () => new Promise((success, fail) => phone.wx.request({ url: `${shop}/a`, success, fail })))))
  await phone.clock.advance(1000)
  assert.equal(client.session.user, 'alice')
  assert.equal(phone.server.count('/session', 'GET'), 1)
  assert.deepEqual(at(phone), ['home'])
})

test('unbind steps up when it must, and goes on in a new session without a user', async () => {
  const phone = new Phone()
  const client = phone.create()
  await phone.run(client.bind(form))
  const { id } = client.session
  ;[...phone.server.sessions.values()][0].needsCode = true
  await phone.run(client.unbind())
  assert.equal(client.session.bound, false)
  assert.notEqual(client.session.id, id)
  assert.equal(phone.server.count('/session/refresh'), 1)
})

test('an unbind whose answer is lost is done once, whoever the back end names at the next login', async () => {
  const phone = new Phone()
  const client = phone.create()
  await phone.run(client.bind(form))
  phone.fault('/binding', 'lost')
  await phone.run(client.unbind())
  assert.equal(client.session.bound, false)
  assert.equal(phone.server.count('/binding', 'DELETE'), 2)
})
