// wx.request and its like: what is sent, what comes back, what goes wrong.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ground, PROBE } from './ground.mjs'

const here = ground()
const SHOP = 'https://shop.example'
const request = (phone, options) => phone.evaluate(({ app }, given) => app.callback('request', given), options)

/** Until that is so; there is no clock to set forward for what a socket does. */
async function until(so) {
  for (let turn = 0; turn < 500; turn += 1) {
    if (await so()) return
    await new Promise(done => setTimeout(done, 10))
  }
  assert.fail(`it didn't happen: ${so}`)
}

test('data is written by the client: a query with GET, JSON or a form with POST', async () => {
  const phone = await here.start(PROBE)
  const get = await request(phone, { url: `${SHOP}/a?x=1#y`, data: { b: '中 文', c: [1] } })
  assert.equal(get.data.path, '/a?x=1&b=%E4%B8%AD%20%E6%96%87&c=%5B1%5D')
  const json = await request(phone, { url: `${SHOP}/a`, method: 'POST', data: { b: 1 } })
  assert.deepEqual([json.data.body, json.data.headers['content-type']], ['{"b":1}', 'application/json'])
  const form = await request(phone, { url: `${SHOP}/a`, method: 'POST', header: { 'content-type': 'application/x-www-form-urlencoded' }, data: { b: 1, c: '&' } })
  assert.equal(form.data.body, 'b=1&c=%26')
  const text = await request(phone, { url: `${SHOP}/a`, method: 'PUT', data: '{"as": "it is"}', header: { Referer: 'https://elsewhere.example', 'X-A': 'b' } })
  assert.deepEqual([text.data.body, text.data.headers['x-a'], text.data.method], ['{"as": "it is"}', 'b', 'PUT'])
  assert.match(text.data.headers.referer, /^https:\/\/servicewechat\.com\//)
})

test('a path is sent as it is written', async () => {
  const phone = await here.start(PROBE)
  const { data } = await request(phone, { url: `${SHOP}/a/../b/%7e//c?` })
  assert.equal(data.path, '/a/../b/%7e//c?')
})

test('answers: JSON, text, bytes, redirects', async () => {
  const phone = await here.start(PROBE)
  assert.equal((await request(phone, { url: `${SHOP}/download` })).data, '下载的')
  assert.equal(typeof (await request(phone, { url: `${SHOP}/a`, dataType: 'text' })).data, 'string')
  assert.deepEqual(await phone.evaluate(async ({ app }, url) => [...new Uint8Array((await app.callback('request', { url, responseType: 'arraybuffer' })).data)], `${SHOP}/bytes`), [0, 255, 128, 1])
  assert.equal((await request(phone, { url: `${SHOP}/redirect` })).data.path, '/echoed?to=1')
  assert.equal((await request(phone, { url: `${SHOP}/redirect`, redirect: 'manual' })).statusCode, 302)
})

test('a task comes at once, is no promise, and can be aborted', async () => {
  const phone = await here.start(PROBE)
  const found = await phone.evaluate(async ({ app }, url) => {
    const { task, result, kind, methods } = app.task({ url })
    task.abort()
    const wrong = app.task({ url: 'no url' })
    const early = [...result, ...wrong.result]
    await new Promise(done => setTimeout(done, 50))
    return { result, kind, methods, early, wrong: wrong.result }
  }, `${SHOP}/hold`)
  assert.deepEqual(found, {
    result: ['request:fail abort', 'complete'], kind: 'undefined', methods: ['function', 'function', 'function'], early: ['request:fail abort', 'complete'],
    wrong: ['request:fail invalid url "no url"', 'complete'],
  })
})

test('ten requests at a time, uploads and downloads among them; the others wait', async () => {
  const phone = await here.start(PROBE)
  await phone.evaluate(({ wx, app }, url) => {
    for (let n = 0; n < 8; n += 1) app.task({ url: `${url}?${n}` })
    for (let n = 8; n < 13; n += 1) wx.downloadFile({ url: `${url}?${n}` })
  }, `${SHOP}/hold`)
  await until(() => here.shop.held.length >= 10)
  // Whatever else there is would have come before the answer to this one, which goes past the slots.
  await phone.evaluate(({ phone: inside }, url) => inside.link.call('request', { as: 'request', url, method: 'GET', headers: [] }), `${SHOP}/a`)
  assert.equal(here.shop.held.length, 10)
  for (let left = 3; left > 0; left -= 1) {
    const before = here.shop.heard.length
    here.shop.held.shift()()
    await until(() => here.shop.heard.length === before + 1)
  }
  for (const answer of here.shop.held.splice(0)) answer()
  const numbers = here.shop.heard.filter(({ path }) => path.startsWith('/hold')).map(({ path }) => Number(path.split('?')[1]))
  assert.deepEqual(numbers.slice(10), [10, 11, 12])
})

test('time runs out by the phone\'s clock', async () => {
  const phone = await here.start(PROBE)
  const answered = request(phone, { url: `${SHOP}/hold`, timeout: 30_000 })
  await until(() => here.shop.heard.some(({ path }) => path === '/hold'))
  await phone.clock(30_000)
  assert.deepEqual(await answered, { fine: false, errMsg: 'request:fail timeout', errno: 5 })
})

test('a lost answer, a lost request, a delay, a request that the network repeats', async () => {
  const phone = await here.start(PROBE)
  phone.loseAnswer('POST https://shop.example/a')
  assert.match((await request(phone, { url: `${SHOP}/a`, method: 'POST' })).errMsg, /^request:fail errcode:-324/)
  assert.equal(here.shop.heard.length, 1)
  assert.equal((await request(phone, { url: `${SHOP}/a`, method: 'POST' })).statusCode, 200)
  phone.loseRequest(/\/b$/)
  assert.equal((await request(phone, { url: `${SHOP}/b` })).fine, false)
  assert.equal(here.shop.heard.length, 2)
  phone.sendTwice('/c')
  assert.equal((await request(phone, { url: `${SHOP}/c` })).statusCode, 200)
  assert.equal(here.shop.heard.length, 4)
  phone.delay('/d', 60)
  const began = Date.now()
  await request(phone, { url: `${SHOP}/d` })
  assert.ok(Date.now() - began >= 55)
  assert.equal((await request(phone, { url: 'http://127.0.0.1:1/' })).errMsg, 'request:fail errcode:-102 cronet_error_code:-102 error_msg:net::ERR_CONNECTION_REFUSED')
})

test('airplane mode: requests, logins and sockets fail, and the app is told', async () => {
  const phone = await here.start(PROBE)
  await phone.evaluate(({ wx, app }, url) => new Promise(done => {
    wx.onNetworkStatusChange(({ networkType }) => app.log(networkType))
    const socket = wx.connectSocket({ url })
    socket.onOpen(done)
    socket.onClose(({ code }) => app.log(`closed ${code}`))
  }), 'wss://shop.example/echo')
  phone.airplane(true)
  await until(() => phone.evaluate(({ app }) => app.told.includes('none') && app.told.includes('closed 1006')))
  assert.match((await request(phone, { url: `${SHOP}/a` })).errMsg, /ERR_INTERNET_DISCONNECTED/)
  assert.match((await phone.evaluate(({ app }) => app.callback('login'))).errMsg, /^login:fail .*ERR_INTERNET_DISCONNECTED/)
  phone.airplane(false)
  assert.equal((await request(phone, { url: `${SHOP}/a` })).statusCode, 200)
})

test('a socket that the server refuses fails, with the status', async () => {
  const phone = await here.start(PROBE)
  const told = await phone.evaluate(({ wx }, url) => new Promise(done => {
    const all = []
    const socket = wx.connectSocket({ url })
    socket.onError(({ errMsg }) => all.push(errMsg))
    socket.onClose(({ code }) => { all.push(code); done(all) })
  }), 'wss://shop.example/refused')
  assert.deepEqual(told, ['Invalid HTTP status. 403', 1006])
})
