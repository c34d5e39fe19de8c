import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const MINUTES = 60000
const form = { form: { name: 'alice', password: 's3cret' } }
const open = async () => {
  const phone = new Phone({ keyed: false })
  phone.install({ keyed: 'off' })
  await phone.request(`${shop}/a`)
  return phone
}
const stored = phone => JSON.parse(phone.storage.get('yaopai').data)
const shown = r => r.headers.authorization

test('bearer: no key is asked for and nothing is signed', async () => {
  const phone = await open()
  assert.equal(JSON.parse(phone.server.log[0].body).key, undefined)
  assert.equal(phone.server.log[1].headers.signature, undefined)
})

test('bearer: a key that nobody asked for is refused', async () => {
  const phone = new Phone({ keyed: false })
  const login = phone.server.login.bind(phone.server)
  phone.server.login = b => {
    const answer = login(b)
    return { ...answer, body: { ...answer.body, key: { alg: 'hmac-sha256' } } }
  }
  await assert.rejects(phone.run(phone.create({ keyed: 'off' }).login()), { code: 'key_refused' })
})

test('rule 6: the new token is stored before it is used', async () => {
  const phone = await open()
  const old = stored(phone).token
  phone.clock.time += 21 * MINUTES
  // Each request shows what stands in the storage at that moment, also while the new token is being written.
  const shows = []
  phone.server.backEnd = ({ headers }) => {
    shows.push(headers.authorization === 'Bearer ' + stored(phone).token || headers.authorization === 'Bearer ' + old)
    return { status: 200, body: {} }
  }
  const sent = []
  for (let i = 0; i < 100; i++) {
    sent.push(new Promise((success, fail) => phone.wx.request({ url: `${shop}/a`, success, fail })))
    await phone.clock.advance(1)
  }
  await phone.run(Promise.all(sent))
  assert.ok(shows.every(Boolean))
  assert.notEqual(stored(phone).token, old)
  const before = phone.server.log.length
  await phone.request(`${shop}/a`)
  assert.equal(shown(phone.server.log[before]), 'Bearer ' + stored(phone).token)
})

test('rule 6: a write that takes long holds back the requests', async () => {
  const phone = await open()
  const old = stored(phone).token
  phone.clock.time += 21 * MINUTES
  phone.fault('/refresh', 'slow', { ms: 1000 })
  await phone.request(`${shop}/a`)
  phone.slowStorage = 5000
  await phone.clock.advance(2000)
  const next = phone.request(`${shop}/b`)
  const atOnce = () => phone.server.log.some(r => r.url.endsWith('/b'))
  assert.equal(atOnce(), false)
  await next
  const used = shown(phone.server.log.find(r => r.url.endsWith('/b')))
  assert.equal(used, 'Bearer ' + stored(phone).token)
  assert.notEqual(used, 'Bearer ' + old)
})

test('a step-up while a refresh is not answered: the refresh first, then the step-up', async () => {
  const phone = await open()
  phone.clock.time += 21 * MINUTES
  for (let i = 0; i < 4; i++) phone.fault('/refresh', 'lost')
  await phone.request(`${shop}/a`)
  await phone.clock.advance(20000)
  await phone.run(phone.client.stepUp())
  const bodies = phone.server.log.filter(r => r.url.endsWith('/refresh')).map(r => JSON.parse(r.body).code)
  assert.equal(bodies.length, 6)
  assert.ok(bodies.at(-1) && !bodies.at(-2))
})

test('rule 3: a refresh that was sent before a restart is sent again with the same request_id', async () => {
  const phone = await open()
  phone.clock.time += 21 * MINUTES
  for (let i = 0; i < 4; i++) phone.fault('/refresh', 'lost')
  await phone.request(`${shop}/a`)
  await phone.clock.advance(20000)
  assert.equal(stored(phone).note, 'refresh')
  const again = phone.restart()
  again.install({ keyed: 'off' })
  await again.request(`${shop}/a`)
  await again.clock.advance(5000)
  const ids = new Set(again.server.log.filter(r => r.url.endsWith('/refresh')).map(r => r.body))
  assert.equal(ids.size, 1)
  assert.equal(stored(again).note, undefined)
  assert.equal(again.count('login'), 0)
})

test('rule 8: a refresh that is not answered goes before a bind', async () => {
  const phone = await open()
  phone.clock.time += 21 * MINUTES
  for (let i = 0; i < 4; i++) phone.fault('/refresh', 'lost')
  await phone.request(`${shop}/a`)
  await phone.clock.advance(20000)
  const before = phone.server.log.length
  await phone.run(phone.client.bind(form))
  const paths = phone.server.log.slice(before).map(r => new URL(r.url).pathname.slice(10))
  assert.deepEqual(paths, ['/session/refresh', '/binding'])
  assert.equal(phone.client.session.user, 'alice')
})

test('rule 8: while a bind is not answered, no refresh; the next bind has its request_id', async () => {
  const phone = await open()
  for (let i = 0; i < 4; i++) phone.fault('/binding', 'lost')
  await assert.rejects(phone.run(phone.client.bind(form)), { code: 'network' })
  phone.clock.time += 21 * MINUTES
  const again = phone.restart()
  again.install({ keyed: 'off' })
  await again.request(`${shop}/a`)
  await again.clock.advance(5000)
  assert.equal(again.server.count('/session/refresh'), 0)
  await again.run(again.client.bind(form))
  assert.equal(again.server.bindCalls, 1)
  assert.equal(again.client.session.user, 'alice')
  assert.equal((await again.request(`${shop}/a`)).statusCode, 200)
})

test('rule 8: a rejected bind is answered: a new request_id, and refreshes go on', async () => {
  const phone = await open()
  const [, id] = stored(phone).ids
  await assert.rejects(phone.run(phone.client.bind({ form: { name: 'alice', password: 'no' } })), { code: 'binding_rejected' })
  assert.equal(stored(phone).note, undefined)
  assert.notEqual(stored(phone).ids[1], id)
  phone.clock.time += 21 * MINUTES
  await phone.request(`${shop}/a`)
  await phone.clock.advance(5000)
  assert.equal(phone.server.count('/session/refresh'), 1)
})

test('rule 9: a step-up is noted with its code, and sent again by the next process', async () => {
  const phone = await open()
  for (let i = 0; i < 4; i++) phone.fault('/refresh', 'lost')
  await assert.rejects(phone.run(phone.client.stepUp()), { code: 'network' })
  const { note } = stored(phone)
  const again = phone.restart()
  again.install({ keyed: 'off' })
  // The old token is worth nothing else by now: session_superseded makes the step-up be sent again.
  assert.equal((await again.request(`${shop}/a`)).statusCode, 200)
  const last = JSON.parse(again.server.log.filter(r => r.url.endsWith('/refresh')).at(-1).body)
  assert.deepEqual(last, { request_id: note.id, code: note.code })
  assert.equal(again.count('login'), 0)
})

test('session_superseded for the stored token: one refresh under a new request_id, then a login', async () => {
  const phone = await open()
  const before = stored(phone).ids[0]
  phone.server.refuse('/b', 'session_superseded', 401)
  assert.equal((await phone.request(`${shop}/b`)).statusCode, 200)
  const [sent] = phone.server.log.filter(r => r.url.endsWith('/refresh')).map(r => JSON.parse(r.body).request_id)
  assert.notEqual(sent, before)
  assert.equal(phone.count('login'), 1)
  phone.server.refuse('/b', 'session_superseded', 401)
  phone.server.refuse('/refresh', 'session_reused', 401)
  assert.equal((await phone.request(`${shop}/b`)).statusCode, 200)
  assert.equal(phone.count('login'), 2)
})

test('a request that was sent with the token before is only sent again', async () => {
  const phone = await open()
  phone.clock.time += 21 * MINUTES
  phone.fault('/late', 'slow', { ms: 40000 })
  phone.server.refuse('/late', 'session_superseded', 401)
  const late = new Promise((success, fail) => phone.wx.request({ url: `${shop}/late`, method: 'POST', data: {}, success, fail }))
  await phone.clock.advance(5000)
  await phone.request(`${shop}/a`)
  assert.equal((await phone.run(late)).statusCode, 200)
  assert.equal(phone.count('login'), 1)
  assert.equal(phone.server.count('/refresh'), 1)
})

test('a token that could not be stored leaves no older one behind', async () => {
  const phone = await open()
  phone.clock.time += 21 * MINUTES
  phone.storageFails = true
  await phone.request(`${shop}/a`)
  await phone.clock.advance(5000)
  assert.equal(phone.storage.size, 0)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  assert.equal(phone.count('login'), 1)
})

test('a bearer session whose app has come to demand a key: proof_required is a reason to log in', async () => {
  const phone = await open()
  phone.server.refuse('/b', 'proof_required', 401)
  assert.equal((await phone.request(`${shop}/b`)).statusCode, 200)
  assert.equal(phone.count('login'), 2)
})

test('unbind of a bearer session: the step-up\'s token is dropped, too', async () => {
  const phone = await open()
  await phone.run(phone.client.bind(form))
  const [s] = phone.server.sessions.values()
  s.needsCode = true
  const { id } = phone.client.session
  await phone.run(phone.client.unbind())
  assert.notEqual(phone.client.session.id, id)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  assert.equal(phone.count('login'), 3)
})

test('Yaopai-Bound while a bind is not answered: the note and the ids stay', async () => {
  const phone = await open()
  for (let i = 0; i < 4; i++) phone.fault('/binding', 'lost')
  await assert.rejects(phone.run(phone.client.bind(form)), { code: 'network' })
  const before = stored(phone)
  const [s] = phone.server.sessions.values()
  s.tellBound = true
  await phone.request(`${shop}/a`)
  await phone.clock.advance(1000)
  const after = stored(phone)
  assert.deepEqual([after.note, after.ids], [before.note, before.ids])
  assert.equal(after.session.user, 'alice')
  await assert.rejects(phone.run(phone.client.bind({ form: { name: 'alice', password: 'no' } })).then(() => Promise.reject(Object.assign(new Error(), { code: 'same' }))), { code: 'same' })
})
