// Options that a request may be given, and the platform takes: none may hang or throw here, nor be changed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone } from '../support/phone.mjs'
import { installed, legacyPhone, old } from './phone.mjs'

const settle = phone => phone.clock.advance(60000)

/** Sends it while nobody knows yet where to; answers what the platform was given in the end. */
async function waited(options, phone = legacyPhone()) {
  const told = []
  const task = phone.wx.request(Object.assign(options, { success: () => told.push('success'), fail: error => told.push(error) }))
  assert.equal(typeof task.abort, 'function')
  await settle(phone)
  assert.deepEqual(told, ['success'])
  assert.equal(phone.passed.length, 1)
  return phone.passed[0].options
}

test('a cycle, in data and beside it', async () => {
  const page = { data: { a: 1 } }
  page.self = page
  page.list = [page, { page }]
  const options = old('/a', { page, method: 'POST', data: { b: 1 } })
  options.options = options
  const passed = await waited(options)
  assert.deepEqual([passed.page.self === passed.page, passed.page.list[0] === passed.page, passed.page.list[1].page === passed.page], [true, true, true])
  assert.notEqual(passed.page, page)
  // As data it is the platform's to refuse or not, as it was: the library can't write it out.
  const data = { n: 1 }
  data.self = data
  const cyclic = await waited(old('/b', { method: 'POST', data }))
  assert.equal(cyclic.data.self, cyclic.data)
  data.n = 2
  assert.equal(cyclic.data.n, 1)
})

test('data that can’t be written out, of a person who has moved: fails as a request does, and throws nothing', async () => {
  const phone = installed(new Phone())
  const data = {}
  data.self = data
  await assert.rejects(phone.request(old('/a', { method: 'POST', data })), { name: 'TypeError' })
  assert.equal(phone.server.count('/a'), 0)
  assert.equal((await phone.request(old())).data.ok, true)
})

test('one object in a million places: copied once', async () => {
  let data = { leaf: 1 }
  for (let i = 0; i < 40; i++) data = { a: data, b: data }
  const before = Date.now()
  const passed = await waited(old('/a', { context: data }))
  assert.ok(Date.now() - before < 5000)
  assert.equal(passed.context.a, passed.context.b)
})

test('lists: as long as three, as long as a thousand million, deep, with a name of their own, of a class', async () => {
  class Ids extends Array {}
  const named = Object.assign([1, , 3], { toJSON: () => 'named' })
  let deep = []
  for (let i = 0; i < 100000; i++) deep = [deep]
  const passed = await waited(old('/a', { plain: [1, [2], 3], sparse: Object.assign([], { length: 1e9 }), deep, named, ids: Ids.of(1, 2) }))
  assert.deepEqual([JSON.stringify(passed.plain), passed.sparse.length, passed.deep.length], ['[1,[2],3]', 1e9, 1])
  assert.deepEqual([JSON.stringify(passed.named), 1 in passed.named, passed.ids instanceof Ids], ['"named"', false, true])
})

test('fields that can’t be read, fields with the name of a prototype, what only pretends', async () => {
  const broken = {}
  Object.defineProperty(broken, 'it', { enumerable: true, get() { throw new Error('no') } })
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const detached = new ArrayBuffer(4)
  structuredClone(detached, { transfer: [detached] })
  const options = old('/a', {
    broken, within: { broken }, revoked: { proxy }, detached,
    data: JSON.parse('{"__proto__": {"a": 1}, "b": 2}'), method: 'POST',
    spoof: { [Symbol.toStringTag]: 'ArrayBuffer', a: 1 }, view: new DataView(new ArrayBuffer(2)), at: new Date(0), call() {}, sign: Symbol('s'), big: 5n,
  })
  Object.defineProperty(options, 'unread', { enumerable: true, get() { throw new Error('no') } })
  const passed = await new Promise((done, fail) => {
    const phone = legacyPhone()
    phone.wx.request(options)
    settle(phone).then(() => done(phone.passed[0].options), fail)
  })
  assert.deepEqual([passed.broken, passed.within.broken, passed.revoked.proxy], [broken, broken, proxy])
  assert.equal(JSON.stringify(passed.data), '{"__proto__":{"a":1},"b":2}')
  assert.deepEqual([passed.at, passed.call, passed.sign, passed.big, passed.detached], [options.at, options.call, options.sign, 5n, detached])
})

test('bytes whose class copies nothing', async () => {
  const bytes = Buffer.from([1, 2, 3])
  const phone = legacyPhone()
  phone.wx.request(old('/a', { method: 'POST', data: 'x', bytes }))
  bytes[0] = 9
  await settle(phone)
  assert.deepEqual([...phone.passed[0].options.bytes], [1, 2, 3])
})

test('options with a class of their own are not changed, and can be used again: each request has its answer', async () => {
  class Ask {
    constructor(url, told) {
      Object.assign(this, old(url))
      this.success = ({ data }) => told.push(data.side)
    }
  }
  for (const isInherited of [false, true]) {
    const phone = legacyPhone()
    const told = []
    const options = isInherited ? Object.create(new Ask('/a', told)) : new Ask('/a', told)
    const { success } = options
    for (let i = 0; i < 3; i++) phone.wx.request(options)
    await settle(phone)
    assert.deepEqual(told, ['legacy', 'legacy', 'legacy'])
    assert.equal(options.success, success)
    phone.wx.request(options)
    await settle(phone)
    assert.equal(told.length, 4)
  }
})

test('the options of a socket that waits, as they were', async () => {
  const phone = legacyPhone()
  const options = { url: 'wss://shop.example/ws?room=7', header: { cookie: 'JSESSIONID=7' } }
  phone.wx.connectSocket(options)
  options.url = 'wss://shop.example/ws?room=8'
  options.header.cookie = ''
  await settle(phone)
  assert.deepEqual([phone.sockets[0].url, { ...phone.passed[0].options.header }], ['wss://shop.example/ws?room=7', { cookie: 'JSESSIONID=7' }])
})

test('the platform throws at what has waited: the caller is told, once', async () => {
  const phone = legacyPhone({ wx: wx => {
    const { request } = wx
    wx.request = o => {
      if (o.isOdd) throw new TypeError('parameter error')
      return request(o)
    }
  } })
  const told = []
  phone.wx.request(old('/a', { isOdd: true, method: 'POST', data: (() => { const data = {}; data.self = data; return data })(), fail: error => told.push(error.message), complete: () => told.push('complete') }))
  await settle(phone)
  assert.deepEqual(told, ['parameter error', 'complete'])
})
