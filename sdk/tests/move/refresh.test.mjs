// A session whose person goes back, and sessions that end meanwhile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'
import { asked, installed, isAsGiven, isSilent, logins, old } from './phone.mjs'

const asking = (phone, options) => new Promise((success, fail) => phone.wx.request({ ...options, success, fail }))

/** A phone with a session; then the one switch is turned. */
async function goingBack(more = {}) {
  const phone = installed(new Phone({ keyed: more.keyed !== 'off' }), { bindPage: '/pages/bind/bind', ...more })
  await phone.request(old())
  phone.server.stayers.add('xiaoming')
  phone.server.legacy = () => ({ status: 200, body: { side: 'legacy' } })
  return phone
}

for (const more of [{}, { keyed: 'off' }]) {
  test(`${more.keyed || 'keyed'}: the refresh that is answered not_moved: all that waits goes on as given, without another login`, async () => {
    const phone = await goingBack(more)
    await phone.clock.advance(20 * 60000)
    const all = await phone.run(Promise.all(Array.from({ length: 100 }, (_, i) => asking(phone, old(`/mine/${i}`, { method: i % 2 ? 'POST' : 'GET' })))))
    // None was sent beside the refresh: the end of the session would have cut it.
    assert.ok(all.every(({ data }) => data.side === 'legacy'))
    assert.equal(phone.server.log.filter(r => r.url.includes('/mine/') && r.headers.authorization).length, 0)
    assert.equal((await phone.request(old('/late'))).data.side, 'legacy')
    isAsGiven(phone.server.log.at(-1))
    assert.equal(phone.count('login'), 1)
    assert.equal(phone.client.session, undefined)
    assert.deepEqual(phone.told, ['legacy'])
    isSilent(phone)
    assert.equal(phone.storage.has('yaopai'), false)
  })
}

test('a POST that comes while the refresh is on its way waits for it, and is sent once', async () => {
  const phone = await goingBack()
  await phone.clock.advance(20 * 60000)
  phone.fault('/refresh', 'slow', { ms: 3000 })
  const refreshing = asking(phone, old('/first'))
  await phone.clock.advance(500)
  const posts = Array.from({ length: 20 }, (_, i) => asking(phone, old(`/orders/${i}`, { method: 'POST', data: { n: i } })))
  const all = await phone.run(Promise.all(posts))
  assert.ok(all.every(({ data }) => data.side === 'legacy'))
  await phone.run(refreshing)
  assert.equal(phone.server.log.filter(r => r.url.includes('/orders/')).length, 20)
  assert.equal(phone.count('login'), 1)
  isSilent(phone)
})

test('a refresh that fails holds nobody up for longer than it takes', async () => {
  const phone = installed(new Phone())
  await phone.request(old())
  await phone.clock.advance(20 * 60000)
  for (let i = 0; i < 4; i++) phone.server.refuse('/refresh', 'platform_blocked', 403)
  const before = phone.clock.time
  for (let i = 0; i < 5; i++) assert.equal((await phone.request(old())).data.ok, true)
  assert.ok(phone.clock.time - before < 2000)
})

test('an answer of the session before that comes late, when the person has gone back or is told: no second login, told once', async () => {
  for (const goesBack of [true, false]) {
    const phone = await goingBack()
    if (!goesBack) phone.server.stayers.clear()
    phone.fault('/late', 'slow', { ms: 5000 })
    const late = asking(phone, old('/late')).catch(error => error)
    phone.server.refuse('/late', 'session_kicked', 401)
    await phone.clock.advance(10)
    for (const s of phone.server.sessions.values()) s.ended = 'session_kicked'
    await phone.request(old()).catch(() => 0)
    const answer = await phone.run(late)
    assert.equal(goesBack ? answer.data.side : answer.statusCode, goesBack ? 'legacy' : 401)
    await phone.clock.advance(1000)
    assert.deepEqual([phone.count('login'), phone.modals.length], [2, goesBack ? 0 : 1])
    // Back here later: nothing of it is left.
    phone.server.stayers.clear()
    if (!goesBack) continue
    await phone.clock.advance(3600000)
    assert.equal((await asked(phone)).data.ok, true)
    isSilent(phone)
  }
})

test('the refresh\'s answer is lost: the next request learns it by one login', async () => {
  const phone = await goingBack()
  await phone.clock.advance(20 * 60000)
  for (let i = 0; i < 6; i++) phone.fault('/refresh', 'lost')
  await phone.request(old())
  await phone.clock.advance(20000)
  assert.equal((await phone.request(old())).data.side, 'legacy')
  assert.equal(phone.count('login'), 2)
  isSilent(phone)
})

for (const code of ['session_kicked', 'session_ended', 'session_expired', 'session_unknown', 'session_revoked']) {
  test(`${code}, and the login after it is not_moved: silent, and the request is answered on the legacy side`, async () => {
    const phone = await goingBack()
    for (const s of phone.server.sessions.values()) s.ended = code
    const posts = Array.from({ length: 20 }, () => asking(phone, old('/orders', { method: 'POST', data: { n: 1 } })))
    const all = await phone.run(Promise.all(posts))
    assert.ok(all.every(({ data }) => data.side === 'legacy'))
    assert.equal(phone.count('login'), 2)
    isSilent(phone)
    await phone.clock.advance(60000)
    assert.equal((await phone.request(old())).data.side, 'legacy')
    assert.equal(phone.count('login'), 2)
    isSilent(phone)
    // Moved again later: nothing of the end is left.
    phone.server.stayers.clear()
    await phone.clock.advance(3600000)
    assert.equal((await asked(phone)).data.ok, true)
    isSilent(phone)
    assert.deepEqual(phone.told, ['legacy', 'yaopai'])
  })
}

test('kicked, and still on this side: told as ever, nobody is logged in, and no session is left that was only to ask', async () => {
  const phone = installed(new Phone())
  await phone.request(old())
  for (const s of phone.server.sessions.values()) s.ended = 'session_kicked'
  const all = await phone.run(Promise.all(Array.from({ length: 20 }, () => asking(phone, old()).catch(error => error))))
  assert.ok(all.every(answer => answer.statusCode === 401 || answer.code === 'session_kicked'), JSON.stringify(all))
  await phone.clock.advance(1000)
  assert.equal(phone.modals.length, 1)
  assert.match(phone.modals[0].content, /已在别处退出登录/)
  assert.equal(phone.client.session, undefined)
  assert.deepEqual([...phone.server.sessions.values()].map(s => s.ended), ['session_kicked', 'session_ended'])
  await assert.rejects(phone.request(old()), { code: 'session_kicked' })
  assert.equal(await phone.run(phone.move.side()), 'yaopai')
  assert.equal(phone.passed.length, 0)
  // As the person wants.
  await phone.run(phone.client.login())
  assert.equal((await phone.request(old())).data.ok, true)
})

test('kicked, and nobody can say why: the next request asks again, and the person is told by then', async () => {
  const phone = installed(new Phone())
  await phone.request(old())
  for (const s of phone.server.sessions.values()) s.ended = 'session_kicked'
  for (let i = 0; i < 4; i++) phone.fault('/session', 'unsent')
  assert.equal((await phone.request(old())).statusCode, 401)
  isSilent(phone)
  await phone.clock.advance(60000)
  await assert.rejects(phone.request(old()), { code: 'session_kicked' })
  await phone.clock.advance(1000)
  assert.equal(phone.modals.length, 1)
})

test('replaced by another device: not asked about, as asking would replace that one', async () => {
  const phone = installed(new Phone())
  await phone.request(old())
  for (const s of phone.server.sessions.values()) s.ended = 'session_replaced'
  assert.equal((await phone.request(old())).statusCode, 401)
  await phone.clock.advance(1000)
  assert.equal(phone.modals.length, 1)
  assert.equal(phone.count('login'), 1)
})

test('replaced, then gone back: the person\'s OK leads to the legacy side', async () => {
  const phone = await goingBack()
  for (const s of phone.server.sessions.values()) s.ended = 'session_replaced'
  phone.confirms = true
  await phone.request(old())
  await phone.clock.advance(1000)
  assert.equal((await phone.request(old())).data.side, 'legacy')
})

test('log-out by the person is a log-out', async () => {
  const phone = installed(new Phone())
  await phone.request(old())
  await phone.run(phone.client.logout())
  await assert.rejects(phone.request(old()), { code: 'session_ended' })
  assert.equal(phone.count('login'), 1)
  isSilent(phone)
})

test('the back end\'s own "not logged in", and the login after it is not_moved: it is the old code\'s to act on', async () => {
  for (const method of ['GET', 'POST']) {
    const phone = await goingBack({ isUnauthorized: ({ data }) => data.errno === 501 })
    await phone.clock.advance(60000)
    phone.server.backEnd = () => ({ status: 200, body: { errno: 501 } })
    assert.deepEqual((await phone.request(old('/mine', { method }))).data, { errno: 501 })
    assert.equal((await phone.request(old('/mine'))).data.side, 'legacy')
    isSilent(phone)
  }
})

test('an upload goes on as given; if its file is gone, the answer is the first one', async () => {
  for (const isGone of [false, true]) {
    const phone = await goingBack()
    phone.filesGone = isGone
    for (const s of phone.server.sessions.values()) s.ended = 'session_kicked'
    const res = await phone.run(new Promise((success, fail) => phone.wx.uploadFile({ ...old('/photo'), filePath: 'f', name: 'f', success, fail })))
    assert.deepEqual(JSON.parse(res.data).side || res.statusCode, isGone ? 401 : 'legacy')
  }
})

test('a step-up that is answered not_moved: the request goes on as given', async () => {
  const phone = await goingBack()
  phone.server.needs.vouched = 1
  await phone.clock.advance(5000)
  assert.equal((await phone.request(old('/pay', { method: 'POST', data: {} }))).data.side, 'legacy')
  isSilent(phone)
})
