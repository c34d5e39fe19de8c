import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const DAY = 86400000
const open = async (more, options) => {
  const phone = new Phone(options)
  phone.install(more)
  await phone.request(`${shop}/first`)
  return phone
}
const to = (phone, path) => phone.server.log.filter(r => r.url.includes(path))

test('ez-wxlite #6: a request sent with an old session is only sent again, no second login', async () => {
  const phone = await open()
  const [s] = phone.server.sessions.values()
  phone.fault('/late', 'slow', { ms: 5000 })
  const late = new Promise((success, fail) => phone.wx.request({ url: `${shop}/late`, success, fail }))
  await phone.clock.advance(10)
  s.ended = 'session_unknown'
  await phone.request(`${shop}/a`)
  assert.equal((await phone.run(late)).statusCode, 200)
  assert.equal(phone.count('login'), 2)
  assert.equal(phone.server.sessions.size, 2)
})

test('an answer about the old session that comes after a new login ends nothing: the request is only sent again', async () => {
  for (const code of ['session_kicked', 'session_replaced', 'login_required', 'session_unknown']) {
    const phone = await open()
    phone.fault('/late', 'slow', { ms: 5000 })
    phone.server.refuse('/late', code, 401)
    const late = new Promise((success, fail) => phone.wx.request({ url: `${shop}/late`, method: 'POST', data: {}, success, fail }))
    await phone.clock.advance(10)
    for (const s of phone.server.sessions.values()) s.ended = 'session_expired'
    await phone.request(`${shop}/a`)
    assert.equal((await phone.run(late)).statusCode, 200)
    assert.equal(phone.count('login'), 2)
    assert.equal(phone.modals.length, 0)
  }
})

test('retry exactly once, then the caller gets the original response', async () => {
  const phone = await open()
  for (let i = 0; i < 5; i++) phone.server.refuse('/a', 'session_unknown', 401)
  const res = await phone.request(`${shop}/a`)
  assert.equal(res.statusCode, 401)
  assert.equal(res.data.code, 'session_unknown')
  assert.equal(to(phone, '/a').length, 2)
  assert.equal(phone.count('login'), 2)
})

test('a login that fails leaves the caller with the first answer', async () => {
  const phone = await open()
  phone.server.refuse('/a', 'session_unknown', 401)
  phone.server.refuse('/session', 'platform_blocked', 403)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 401)
})

test('uView2 #827, uni-app #4110, fly #97, ant-design-pro #11869: GET and POST are sent again by us, signed anew', async () => {
  const phone = await open()
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
    phone.server.refuse('/r', 'session_expired', 401)
    const before = to(phone, '/r').length
    assert.equal((await phone.request({ url: `${shop}/r`, method, data: { a: 1 } })).statusCode, 200)
    const [one, two] = to(phone, '/r').slice(before)
    assert.notEqual(one.headers.authorization, two.headers.authorization)
    assert.notEqual(one.headers['signature-input'], two.headers['signature-input'])
    assert.equal(one.body, two.body)
  }
})

test('an upload is sent again only if its file still exists', async () => {
  const phone = await open()
  const upload = () => phone.run(new Promise((success, fail) => phone.wx.uploadFile({ url: `${shop}/photo`, filePath: 'wxfile://a', name: 'f', success, fail })))
  phone.server.refuse('/photo', 'session_expired', 401)
  assert.equal((await upload()).statusCode, 200)
  assert.equal(to(phone, '/photo').length, 2)
  phone.filesGone = true
  phone.server.refuse('/photo', 'session_expired', 401)
  assert.equal((await upload()).statusCode, 401)
  assert.equal(to(phone, '/photo').length, 3)
})

test('an upload is signed without a digest, a download as a GET', async () => {
  const phone = await open()
  await phone.run(new Promise((success, fail) => phone.wx.uploadFile({ url: `${shop}/photo`, filePath: 'f', name: 'f', formData: { a: 1 }, success, fail })))
  const up = to(phone, '/photo')[0]
  assert.equal(up.headers['content-digest'], undefined)
  assert.doesNotMatch(up.headers['signature-input'], /content-digest/)
  const res = await phone.run(new Promise((success, fail) => phone.wx.downloadFile({ url: `${shop}/file`, success, fail })))
  assert.equal(res.tempFilePath, 'wxfile://tmp')
})

test('the phone\'s clock a day off, either way, heals in one request more', async () => {
  for (const by of [DAY, -DAY]) {
    const phone = await open()
    phone.skew = by
    const before = phone.server.log.length
    const res = await phone.request({ url: `${shop}/a`, method: 'POST', data: {} })
    assert.equal(res.statusCode, 200)
    await phone.clock.advance(1000)
    assert.equal(to(phone, '/a').length, 2)
    // The refresh that a wrong clock brings about is one request more, not a login.
    assert.ok(phone.server.log.length - before <= 4)
    await phone.request(`${shop}/b`)
    assert.equal(to(phone, '/b').length, 1)
    assert.equal(phone.count('login'), 1)
    assert.ok(Math.abs(phone.client.now() - phone.server.now()) < 1000)
  }
})

test('a phone whose clock was wrong from the start signs by the server\'s', async () => {
  const phone = await open({}, { phoneSkew: -3 * DAY })
  assert.equal(to(phone, '/first').length, 1)
})

test('proof_stale with Retry-After waits; a second one is the caller\'s', async () => {
  const phone = await open()
  phone.server.refuse('/a', 'proof_stale', 401, { retry: 5 })
  phone.server.refuse('/a', 'proof_stale', 401)
  const before = phone.clock.time
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 401)
  assert.ok(phone.clock.time - before >= 5000)
  assert.equal(to(phone, '/a').length, 2)
})

test('proof_replayed: only what may be done twice is sent again', async () => {
  const phone = await open()
  phone.server.refuse('/a', 'proof_replayed', 401)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  phone.server.refuse('/b', 'proof_replayed', 401)
  assert.equal((await phone.request({ url: `${shop}/b`, method: 'POST', data: {} })).statusCode, 401)
  assert.equal(to(phone, '/b').length, 1)
  assert.equal(phone.count('login'), 1)
})

test('proof_invalid is a mistake: not sent again, nothing dropped', async () => {
  const phone = await open()
  for (const [code, status] of [['proof_invalid', 401], ['body_digest_required', 401], ['path_unclean', 400], ['proof_required', 401]]) {
    phone.server.refuse('/a', code, status)
    assert.equal((await phone.request(`${shop}/a`)).statusCode, status)
  }
  assert.equal(to(phone, '/a').length, 4)
  assert.equal(phone.count('login'), 1)
})

test('unavailable and rate_limited wait Retry-After and are tried once more; minutes are the caller\'s', async () => {
  const phone = await open()
  phone.server.refuse('/a', 'unavailable', 503, { retry: 2 })
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  phone.server.refuse('/b', 'rate_limited', 429, { retry: 300 })
  assert.equal((await phone.request(`${shop}/b`)).statusCode, 429)
  assert.equal(to(phone, '/b').length, 1)
})

test('behind nginx: 403 with the true status in Yaopai-Status', async () => {
  const phone = await open()
  phone.server.refuse('/a', 'unavailable', 403, { retry: 1, header: { 'Yaopai-Status': '503' } })
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
})

test('the back end\'s own 401 without Yaopai-Code passes through untouched', async () => {
  const phone = await open()
  phone.server.backEnd = () => ({ status: 401, body: { mine: true } })
  const res = await phone.request(`${shop}/a`)
  assert.deepEqual([res.statusCode, res.data], [401, { mine: true }])
  assert.equal(to(phone, '/a').length, 1)
  assert.equal(phone.count('login'), 1)
})

test('a network failure of the caller\'s request is the caller\'s', async () => {
  const phone = await open()
  phone.fault('/a', 'unsent')
  await assert.rejects(phone.request(`${shop}/a`), { errMsg: 'request:fail timeout' })
  assert.equal(to(phone, '/a').length, 0)
})

test('header fields are read in any case', async () => {
  for (const headerCase of [s => s.toLowerCase(), s => s.toUpperCase()]) {
    const phone = await open({}, { headerCase })
    phone.server.refuse('/a', 'session_expired', 401)
    assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  }
})

test('Promise as a macrotask: refusals are cured all the same', async () => {
  const phone = await open({}, { macrotask: true })
  phone.server.refuse('/a', 'session_expired', 401)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
})

test('wafer2 #32: no option of a request drops the session', async () => {
  const phone = await open()
  await phone.request({ url: `${shop}/a`, login: false })
  assert.match(phone.server.log.at(-1).headers.authorization, /^Bearer/)
})
