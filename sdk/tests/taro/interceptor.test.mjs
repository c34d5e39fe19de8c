// A chain as Taro has it: each interceptor gets what the one before it passes on, and the last one is the platform's request.
// The real one is in examples/taro.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

function taroOf(phone) {
  const interceptors = []
  const end = chain => new Promise((success, fail) => phone.wx.request({ ...chain.requestParams, success, fail }))
  const chain = (index, requestParams) => ({
    requestParams, proceed: params => [...interceptors, end][index](chain(index + 1, params)),
  })
  return { addInterceptor: one => interceptors.push(one), request: options => chain(0, { ...options }).proceed({ ...options }) }
}

function taroWithSession() {
  const phone = new Phone()
  const taro = taroOf(phone)
  const client = phone.create()
  return { phone, taro, client, add: () => taro.addInterceptor(phone.load('taro').taroInterceptor(client)) }
}

test('requests of Taro carry the session, by a client that patches nothing', async () => {
  const { phone, taro, add } = taroWithSession()
  add()
  const answer = await phone.clock.until(taro.request({ url: `${shop}/orders` }))
  assert.equal(answer.statusCode, 200)
  assert.equal(phone.count('login'), 1)
  assert.match(phone.server.log.at(-1).headers.signature, /^yaopai=/)
})

test('a refused request is opened and sent again within the interceptor', async () => {
  const { phone, taro, add } = taroWithSession()
  add()
  await phone.clock.until(taro.request({ url: `${shop}/orders` }))
  phone.server.refuse('/orders', 'session_expired', 401)
  assert.equal((await phone.clock.until(taro.request({ url: `${shop}/orders` }))).statusCode, 200)
  assert.equal(phone.count('login'), 2)
})

test('interceptors before it see the request and the final answer', async () => {
  const { phone, taro, add } = taroWithSession()
  const seen = []
  taro.addInterceptor(chain => chain.proceed({ ...chain.requestParams, header: { 'X-Page': 'home' } }).then(answer => (seen.push(answer.statusCode), answer)))
  add()
  await phone.clock.until(taro.request({ url: `${shop}/orders` }))
  assert.equal(phone.server.log.at(-1).headers['x-page'], 'home')
  assert.deepEqual(seen, [200])
})

test('a task and a whole promise: abort before it is sent, onHeadersReceived, catch, finally', async () => {
  const { phone, taro, add } = taroWithSession()
  add()
  const task = taro.request({ url: `${shop}/orders` })
  task.abort()
  const error = await phone.clock.until(task.catch(error => error).finally(() => undefined))
  assert.match(error.errMsg, /abort/)
  assert.equal(phone.server.log.filter(request => request.url.endsWith('/orders')).length, 0)
  const headers = []
  const second = taro.request({ url: `${shop}/orders` })
  second.onHeadersReceived(({ header }) => headers.push(header))
  await phone.clock.until(second)
  assert.equal(headers.length, 1)
})

test("another host's requests are as if we weren't there", async () => {
  const { phone, taro, add } = taroWithSession()
  add()
  await phone.clock.until(taro.request({ url: 'https://weather.example/' }))
  assert.equal(phone.foreign[0].headers.authorization, undefined)
  assert.equal(phone.count('login'), 0)
})
