import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const refreshes = phone => phone.server.count('/session/refresh')
const MINUTES = 60000

test('single-flight refresh at 20 min, at the next request; nobody waits for it', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  await phone.clock.advance(19 * MINUTES)
  await phone.request(`${shop}/a`)
  assert.equal(refreshes(phone), 0)
  await phone.clock.advance(2 * MINUTES)
  phone.fault('/session/refresh', 'slow', { ms: 5000 })
  const before = phone.clock.time
  await phone.run(Promise.all(Array.from({ length: 20 }, () => new Promise((success, fail) => phone.wx.request({ url: `${shop}/a`, success, fail })))))
  assert.ok(phone.clock.time - before < 1000)
  await phone.clock.advance(10000)
  assert.equal(refreshes(phone), 1)
  await phone.request(`${shop}/a`)
  await phone.clock.advance(10000)
  assert.equal(refreshes(phone), 1)
})

test('never by a timer alone: a phone that lies still sends nothing', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  const before = phone.server.log.length
  await phone.clock.advance(25 * MINUTES)
  assert.equal(phone.server.log.length, before)
  assert.equal(phone.clock.timers.length, 0)
})

test('on show after a sleep the session is refreshed by the wall clock', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  phone.clock.time += 25 * MINUTES
  phone.onShow()
  await phone.clock.advance(1000)
  assert.equal(refreshes(phone), 1)
  phone.onShow()
  await phone.clock.advance(1000)
  assert.equal(refreshes(phone), 1)
})

test('a refresh whose answer is lost is sent again with the same request_id, signed anew', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  phone.clock.time += 21 * MINUTES
  phone.fault('/session/refresh', 'lost')
  await phone.request(`${shop}/a`)
  await phone.clock.advance(10000)
  const sent = phone.server.log.filter(r => r.url.endsWith('/refresh'))
  assert.equal(sent.length, 2)
  assert.equal(sent[0].body, sent[1].body)
  assert.notEqual(sent[0].headers.signature, sent[1].headers.signature)
  assert.equal(phone.count('login'), 1)
})

test('the next refresh has a request_id of its own', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  for (let i = 0; i < 2; i++) {
    await phone.clock.advance(21 * MINUTES)
    await phone.request(`${shop}/a`)
    await phone.clock.advance(1000)
  }
  const [one, two] = phone.server.log.filter(r => r.url.endsWith('/refresh')).map(r => JSON.parse(r.body).request_id)
  assert.notEqual(one, two)
})

test('login_required: a silent step-up, once for all requests that meet it, and the request again', async () => {
  const phone = new Phone()
  const client = phone.install()
  await phone.request(`${shop}/a`)
  await phone.clock.advance(10 * MINUTES)
  phone.server.needs.vouched = 300
  const all = await phone.run(Promise.all(Array.from({ length: 8 }, () => new Promise((success, fail) => phone.wx.request({ url: `${shop}/pay`, method: 'POST', data: { n: 1 }, success, fail })))))
  assert.ok(all.every(res => res.statusCode === 200))
  assert.equal(phone.count('login'), 2)
  assert.equal(refreshes(phone), 1)
  assert.equal(phone.server.sessions.size, 1)
  assert.equal(client.session.vouchedAt, [...phone.server.sessions.values()][0].vouched)
})

test('a step-up whose code is refused takes another, once', async () => {
  const phone = new Phone()
  const client = phone.create()
  await phone.run(client.login())
  phone.server.refuse('/session/refresh', 'code_used', 400)
  await phone.run(client.stepUp())
  assert.equal(phone.count('login'), 3)
  phone.server.refuse('/session/refresh', 'identity_mismatch', 409)
  await assert.rejects(phone.run(client.stepUp()), { code: 'identity_mismatch' })
  assert.ok(client.session)
})

test('a session that has expired when it is to be refreshed is replaced silently', async () => {
  const phone = new Phone()
  const client = phone.install()
  await phone.request(`${shop}/a`)
  const id = client.session.id
  phone.clock.time += 40 * MINUTES
  phone.onShow()
  await phone.clock.advance(1000)
  assert.notEqual(client.session.id, id)
  assert.equal(phone.count('login'), 2)
})

test('the session is shown without secrets, and a change of it is told', async () => {
  const phone = new Phone()
  const client = phone.create()
  let changes = 0
  const off = client.on('change', () => changes++)
  await phone.run(client.login())
  await phone.clock.advance(1)
  assert.deepEqual(Object.keys(client.session).filter(k => client.session[k] !== undefined).sort(), ['bound', 'id', 'vouchedAt'])
  assert.equal(changes, 1)
  off()
  await phone.run(client.logout())
  await phone.clock.advance(1)
  assert.equal(changes, 1)
})

test('logout: forgotten whatever is answered, and nobody logs in until login()', async () => {
  const phone = new Phone()
  const client = phone.install()
  await phone.request(`${shop}/a`)
  for (let i = 0; i < 9; i++) phone.fault('/session', 'unsent')
  await phone.run(client.logout())
  assert.equal(client.session, undefined)
  assert.equal(phone.storage.size, 0)
  assert.equal(phone.modals.length, 0)
  await assert.rejects(phone.request(`${shop}/a`), { code: 'session_ended' })
  phone.faults = []
  await phone.run(client.login())
  assert.equal(phone.count('login'), 2)
})

test('a refresh that fails is not tried again with each request', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  await phone.clock.advance(21 * MINUTES)
  for (let i = 0; i < 9; i++) phone.server.refuse('/refresh', 'rate_limited', 429, { retry: 60 })
  for (let i = 0; i < 10; i++) {
    await phone.request(`${shop}/a`)
    await phone.clock.advance(1000)
  }
  assert.equal(refreshes(phone), 1)
  await phone.clock.advance(31000)
  await phone.request(`${shop}/a`)
  await phone.clock.advance(1000)
  assert.equal(refreshes(phone), 2)
})

test('logout while a login is under way: that session is ended, too', async () => {
  const phone = new Phone()
  const client = phone.install()
  const first = new Promise((success, fail) => phone.wx.request({ url: `${shop}/a`, success, fail }))
  await phone.clock.advance(5)
  assert.equal(client.session, undefined)
  assert.equal(phone.count('login'), 1)
  await phone.run(client.logout())
  await phone.run(first).catch(() => 0)
  assert.equal(client.session, undefined)
  assert.equal(phone.storage.size, 0)
  assert.ok([...phone.server.sessions.values()].every(s => s.ended))
})

test('a stored session is told as a change when it is read', async () => {
  const phone = new Phone()
  await phone.run(phone.create().login())
  const again = phone.restart()
  const client = again.create()
  let told = 0
  client.on('change', () => told++)
  await again.clock.advance(100)
  assert.equal(told, 1)
  assert.equal(client.session.bound, false)
})

for (const keyed of [true, false]) {
  test(`an answer to a refresh that comes after a logout brings no session back (${keyed ? 'keyed' : 'bearer'})`, async () => {
    const phone = new Phone({ keyed })
    const client = phone.install({ keyed: keyed ? 'required' : 'off' })
    await phone.request(`${shop}/a`)
    phone.clock.time += 21 * MINUTES
    phone.fault('/refresh', 'slow', { ms: 5000 })
    await phone.request(`${shop}/a`)
    await phone.run(client.logout())
    await phone.clock.advance(20000)
    assert.equal(client.session, undefined)
    assert.equal(phone.storage.size, 0)
    // Nor does it take the place of a newer one.
    const other = new Phone({ keyed })
    const b = other.install({ keyed: keyed ? 'required' : 'off' })
    await other.request(`${shop}/a`)
    other.clock.time += 21 * MINUTES
    other.fault('/refresh', 'slow', { ms: 5000 })
    await other.request(`${shop}/a`)
    await other.run(b.logout())
    await other.run(b.login())
    const { id } = b.session
    await other.clock.advance(20000)
    assert.equal(b.session.id, id)
    assert.equal((await other.request(`${shop}/a`)).statusCode, 200)
    assert.equal(other.count('login'), 2)
  })
}

test('a phone whose clock is set back by a day goes on refreshing', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  phone.skew = -24 * 60 * MINUTES
  await phone.request(`${shop}/a`)
  await phone.clock.advance(1000)
  // It was signed by the wrong clock, and again by the right one.
  assert.equal(refreshes(phone), 2)
  await phone.clock.advance(21 * MINUTES)
  await phone.request(`${shop}/a`)
  await phone.clock.advance(1000)
  assert.equal(refreshes(phone), 3)
})
