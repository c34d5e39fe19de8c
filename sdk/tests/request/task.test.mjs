import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const settle = phone => phone.clock.advance(60000)

test('juejin 7502263728433954853: the task is there at once, with the methods of the platform\'s', async () => {
  const phone = new Phone()
  phone.install()
  const headers = []
  const task = phone.wx.request({ url: `${shop}/a` })
  for (const name of ['abort', 'onHeadersReceived', 'offHeadersReceived', 'onChunkReceived', 'offChunkReceived']) assert.equal(typeof task[name], 'function')
  // `await wx.request()` is the task, as the platform's is: it is no promise.
  assert.equal(task.then, undefined)
  task.onHeadersReceived(({ header }) => headers.push(header))
  await settle(phone)
  assert.equal(headers.length, 1)
  const upload = phone.wx.uploadFile({ url: `${shop}/b`, filePath: 'f', name: 'f' })
  upload.onProgressUpdate(() => 0)
  await settle(phone)
  assert.equal(phone.count('onProgressUpdate'), 1)
})

test('abort before the request is sent, while the login is under way', async () => {
  const phone = new Phone()
  phone.install()
  const told = []
  const task = phone.wx.request({ url: `${shop}/a`, success: () => told.push('success'), fail: e => told.push(e.errMsg), complete: () => told.push('complete') })
  task.abort()
  await settle(phone)
  assert.deepEqual(told, ['request:fail abort', 'complete'])
  assert.equal(phone.server.count('/a'), 0)
  task.abort()
  await settle(phone)
  assert.equal(told.length, 2)
})

test('abort while it is on its way, and between a refusal and the next try', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/first`)
  const told = []
  const one = phone.wx.request({ url: `${shop}/a`, fail: e => told.push(e.errMsg) })
  await phone.clock.advance(10)
  one.abort()
  phone.server.refuse('/b', 'unavailable', 503, { retry: 5 })
  const two = phone.wx.request({ url: `${shop}/b`, fail: e => told.push(e.errMsg) })
  await phone.clock.advance(1000)
  two.abort()
  await settle(phone)
  assert.deepEqual(told, ['request:fail abort', 'request:fail abort'])
  assert.equal(phone.server.count('/b'), 1)
})

test('success, fail and complete each once, with a request that is sent again', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/first`)
  phone.server.refuse('/a', 'session_expired', 401)
  const told = []
  phone.wx.request({ url: `${shop}/a`, success: r => told.push(['success', r.statusCode]), fail: () => told.push(['fail']), complete: r => told.push(['complete', r.statusCode]) })
  await settle(phone)
  assert.deepEqual(told, [['success', 200], ['complete', 200]])
  phone.fault('/b', 'unsent')
  phone.wx.request({ url: `${shop}/b`, success: () => told.push('s'), fail: () => told.push('f'), complete: () => told.push('c') })
  await settle(phone)
  assert.deepEqual(told.slice(2), ['f', 'c'])
})

test('the client\'s request is a promise as well, and its callbacks are called too', async () => {
  const phone = new Phone()
  const client = phone.create()
  const told = []
  const task = client.request({ url: `${shop}/a`, success: () => told.push('success'), complete: () => told.push('complete') })
  assert.equal(typeof task.abort, 'function')
  const res = await phone.run(task)
  assert.equal(res.statusCode, 200)
  await settle(phone)
  assert.deepEqual(told, ['success', 'complete'])
  phone.fault('/b', 'unsent')
  await assert.rejects(phone.run(client.request({ url: `${shop}/b` })), { errMsg: 'request:fail timeout' })
  assert.equal((await phone.run(client.uploadFile({ url: `${shop}/c`, filePath: 'f', name: 'f' }))).statusCode, 200)
  assert.equal((await phone.run(client.downloadFile({ url: `${shop}/d` }))).statusCode, 200)
})

test('an exception in a callback reaches nobody else', async () => {
  const phone = new Phone()
  phone.install()
  const told = []
  phone.wx.request({
    url: `${shop}/a`,
    success() {
      throw new Error('the page\'s own')
    },
    fail: () => told.push('fail'),
    complete: () => told.push('complete'),
  })
  await assert.rejects(settle(phone), /own/)
  await settle(phone)
  assert.deepEqual(told, ['complete'])
})

test('the caller\'s options are never changed', async () => {
  const phone = new Phone()
  phone.install()
  const options = { url: `${shop}/a?x=1`, data: { b: [1, { c: 2 }] }, header: { 'X-Mine': '1' }, method: 'post' }
  const deepFreeze = o => (Object.values(o).forEach(v => typeof v === 'object' && deepFreeze(v)), Object.freeze(o))
  deepFreeze(options)
  const copy = JSON.stringify(options)
  phone.wx.request(options)
  await settle(phone)
  assert.equal(JSON.stringify(options), copy)
  assert.equal(phone.server.count(/\/a\?x=1$/, 'POST'), 1)
})

test('the caller\'s header fields are merged: Cookie and others stay, ours are ours', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request({ url: `${shop}/a`, header: { cookie: 'lang=zh', 'X-Mine': '1', authorization: 'Bearer old', SIGNATURE: 'x' } })
  const { headers } = phone.server.log.at(-1)
  assert.equal(headers.cookie, 'lang=zh')
  assert.equal(headers['x-mine'], '1')
  assert.match(headers.authorization, /^Bearer yp1_/)
})

for (const [name, carrier, field] of [['cookie', { cookie: 'sid' }, 'cookie'], ['header', { header: 'X-Token' }, 'x-token']]) {
  test(`the token in a ${name} of its own: the caller's Authorization and Cookie stay, and it isn't covered twice`, async () => {
    const phone = new Phone()
    phone.server.carrier = field
    phone.server.verify = () => undefined
    phone.install({ carrier })
    await phone.request({ url: `${shop}/a`, header: { Cookie: 'lang=zh', Authorization: 'Basic abc' } })
    const { headers } = phone.server.log.at(-1)
    assert.equal(headers.authorization, 'Basic abc')
    assert.match(headers.cookie, name === 'cookie' ? /^sid=yp1_\w+; lang=zh$/ : /^lang=zh$/)
    if (name === 'header') assert.match(headers['x-token'], /^yp1_/)
    assert.doesNotMatch(headers['signature-input'], /"authorization"/)
  })
}

test('a jar is asked for cookies and given the answers, with the caller\'s own', async () => {
  const phone = new Phone()
  const calls = []
  phone.install({
    jar: {
      open: async storage => calls.push(['open', typeof storage.read]),
      header: (url, now, given) => `${given ? given + '; ' : ''}JSESSIONID=1`,
      clear: () => calls.push(['clear']),
      take: (url, response) => calls.push(['take', url, Object.keys(response).includes('header')]),
    },
  })
  await phone.request({ url: `${shop}/a`, header: { Cookie: 'lang=zh' } })
  assert.equal(phone.server.log.at(-1).headers.cookie, 'lang=zh; JSESSIONID=1')
  assert.deepEqual(calls[0], ['open', 'function'])
  assert.deepEqual(calls.at(-1), ['take', `${shop}/a`, true])
  await phone.run(phone.client.logout())
  assert.deepEqual(calls.at(-1), ['clear'])
})
