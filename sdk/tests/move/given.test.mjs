// What "as it was given" means, of each of the platform's functions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shop } from '../support/phone.mjs'
import { isSilent, legacyPhone, logins, old } from './phone.mjs'

const settle = phone => phone.clock.advance(60000)

test('while aside the platform\'s function is called with the very options, and its task is the caller\'s', async () => {
  const phone = legacyPhone()
  await phone.request(old())
  const options = { url: `${shop}/a?x=%zz`, data: { b: 1 }, header: { Cookie: 'JSESSIONID=7' }, timeout: 9, enableChunked: true }
  phone.wx.request(options)
  assert.equal(phone.passed.at(-1).options, options)
  for (const kind of ['uploadFile', 'downloadFile', 'connectSocket']) {
    const one = { url: `${kind === 'connectSocket' ? 'wss://shop.example' : shop}/b`, filePath: 'f', name: 'f' }
    phone.wx[kind](one)
    assert.equal(phone.passed.at(-1).options, one)
    assert.equal(phone.passed.at(-1).kind, kind)
  }
  await settle(phone)
})

test('what has waited: the options as they were at the call, data unwritten, nothing of ours', async () => {
  const phone = legacyPhone()
  const cart = { items: [{ id: 1 }], note: undefined }
  const header = { Cookie: 'JSESSIONID=7', 'X-Mine': '1' }
  const bytes = new Uint8Array([1, 2, 3])
  const told = []
  const options = old('/orders?a=[1]', { method: 'post', data: cart, header, timeout: 9, success: () => told.push('success'), complete: () => told.push('complete') })
  phone.wx.request(options)
  phone.wx.request(old('/bytes', { method: 'PUT', data: bytes.buffer }))
  phone.wx.request(old('/query', { data: { q: '茶' } }))
  // The caller goes on with its objects.
  cart.items[0].id = 2
  header.Cookie = 'JSESSIONID=other'
  bytes[0] = 9
  options.url = `${shop}/elsewhere`
  await settle(phone)
  const [one, two, three] = phone.passed.map(p => p.options)
  assert.deepEqual([one.url, one.method, one.timeout], [`${shop}/orders?a=[1]`, 'post', 9])
  assert.deepEqual({ ...one.data, items: [...one.data.items].map(i => ({ ...i })) }, { items: [{ id: 1 }], note: undefined })
  assert.deepEqual({ ...one.header }, { Cookie: 'JSESSIONID=7', 'X-Mine': '1' })
  assert.deepEqual([...new Uint8Array(two.data)], [1, 2, 3])
  assert.deepEqual([three.url, { ...three.data }], [`${shop}/query`, { q: '茶' }])
  assert.equal('yaopai' in one, false)
  assert.deepEqual(told, ['success', 'complete'])
})

test('an object with a class of its own is passed on as it is', async () => {
  const phone = legacyPhone()
  class Money { toJSON() { return 5 } }
  const data = { price: new Money(), at: new Date(0), by: Object.assign(Object.create(null), { a: 1 }) }
  phone.wx.request(old('/a', { method: 'POST', data }))
  await settle(phone)
  const passed = phone.passed[0].options.data
  assert.equal(passed.price, data.price)
  assert.equal(passed.at, data.at)
  assert.equal(JSON.stringify(passed), JSON.stringify(data))
})

test('uploads and downloads that have waited', async () => {
  const phone = legacyPhone()
  const formData = { a: 1 }
  const up = phone.run(new Promise((success, fail) => phone.wx.uploadFile({ ...old('/photo'), filePath: 'f', name: 'f', formData, success, fail })))
  formData.a = 2
  const down = phone.run(new Promise((success, fail) => phone.wx.downloadFile({ ...old('/file'), success, fail })))
  assert.equal(JSON.parse((await up).data).side, 'legacy')
  assert.equal((await down).tempFilePath, 'wxfile://tmp')
  assert.deepEqual({ ...phone.passed[0].options.formData }, { a: 1 })
  assert.equal(logins(phone), 1)
})

test('a socket that has waited is opened without a ticket, and what was called on it is done', async () => {
  const phone = legacyPhone()
  const told = []
  const socket = phone.wx.connectSocket({ url: 'wss://shop.example/ws?room=7', header: { cookie: 'JSESSIONID=7' } })
  socket.onOpen(() => {
    told.push('open')
    socket.send({ data: 'hello' })
  })
  socket.onMessage(({ data }) => told.push(data))
  await settle(phone)
  const [real] = phone.sockets
  assert.deepEqual([real.url, real.sent], ['wss://shop.example/ws?room=7', ['hello']])
  real.on.message.forEach(l => l({ data: 'there' }))
  assert.deepEqual(told, ['open', 'there'])
  assert.equal(phone.server.count('/ticket'), 0)
  assert.equal('yaopai' in phone.passed[0].options, false)
})

test('a socket of a person who has moved has its ticket, and what is sent early waits for it', async () => {
  const phone = legacyPhone()
  phone.server.stayers.clear()
  const socket = phone.wx.connectSocket({ url: 'wss://shop.example/ws?room=7' })
  socket.send({ data: 'hello' })
  await settle(phone)
  assert.match(phone.sockets[0].url, /yaopai_ticket=/)
  assert.deepEqual(phone.sockets[0].sent, ['hello'])
  assert.equal(phone.passed.length, 0)
})

test('a socket that is closed while it waits is not opened', async () => {
  const phone = legacyPhone()
  const told = []
  const socket = phone.wx.connectSocket({ url: 'wss://shop.example/ws' })
  socket.onClose(({ code }) => told.push(code))
  socket.close({ code: 1000 })
  await settle(phone)
  assert.deepEqual([phone.sockets.length, told], [0, [1000]])
})

test('abort while it waits: never sent, told once', async () => {
  const phone = legacyPhone()
  const told = []
  const task = phone.wx.request(old('/a', { success: () => told.push('success'), fail: e => told.push(e.errMsg), complete: () => told.push('complete') }))
  await phone.clock.advance(1)
  task.abort()
  await settle(phone)
  assert.deepEqual(told, ['request:fail abort', 'complete'])
  assert.equal(phone.passed.length, 0)
  assert.equal(logins(phone), 1)
})

test('abort after it has gone on, and listeners that were there before', async () => {
  const phone = legacyPhone({ latency: 500 })
  const told = []
  const headers = []
  const listened = phone.wx.request(old('/a', { success: () => told.push('success') }))
  listened.onHeadersReceived(({ header }) => headers.push(header))
  const task = phone.wx.request(old('/b', { fail: e => told.push(e.errMsg) }))
  await phone.clock.advance(600)
  assert.equal(phone.passed.length, 2)
  task.abort()
  await settle(phone)
  assert.deepEqual(told.sort(), ['request:fail abort', 'success'])
  assert.equal(headers.length, 1)
})

test('a failure of the network is the caller\'s, as the platform says it, and is sent once', async () => {
  const phone = legacyPhone()
  phone.fault('/a', 'unsent')
  await assert.rejects(phone.request(old('/a')), { errMsg: 'request:fail timeout' })
  assert.equal(phone.passed.length, 1)
  phone.fault('/b', 'unsent')
  await assert.rejects(phone.request(old('/b')), { errMsg: 'request:fail timeout' })
  assert.equal(phone.passed.length, 2)
})

test('not_bound, errno and refusals of the legacy side are the old code\'s: no bind page, no login, no second try', async () => {
  const phone = legacyPhone({}, { bindPage: '/pages/bind/bind', isUnauthorized: ({ data }) => data.errno === 501 })
  for (const answer of [{ status: 200, body: { errno: 501 } }, { status: 401, body: {} }, phone.server.refusal('not_bound', 403), phone.server.refusal('session_kicked', 401), phone.server.refusal('unavailable', 503, { retry: 1 })]) {
    phone.server.legacy = () => answer
    const before = phone.passed.length
    assert.equal((await phone.request(old('/a'))).statusCode, answer.status)
    assert.equal(phone.passed.length, before + 1)
  }
  await settle(phone)
  assert.equal(logins(phone), 1)
  isSilent(phone)
})

test('other hosts are left alone as ever', async () => {
  const phone = legacyPhone()
  await phone.request('https://elsewhere.example/a')
  assert.equal(logins(phone), 0)
})
