import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from './support/phone.mjs'

const NAMES = ['request', 'uploadFile', 'downloadFile', 'connectSocket']

test('install twice is one install', async () => {
  const phone = new Phone()
  const one = phone.install()
  const two = phone.install()
  assert.equal(one, two)
  assert.equal(phone.yaopai.client(), one)
  // A second copy of the package in the same mini program.
  const copy = phone.load('index')
  assert.equal(copy.client(), one)
  assert.equal(copy.install({ app: 'shop', server: shop }), one)
  await phone.request(`${shop}/a`)
  assert.equal(phone.server.log.length, 2)
})

test('a client that is made after the install, for the same host, has a session of its own', async () => {
  for (const above of [wx => wx, wx => { const ours = wx.request; wx.request = o => ours(Object.assign({}, o)) }]) {
    const phone = new Phone()
    const one = phone.install()
    await phone.request(`${shop}/a`)
    above(phone.wx)
    const two = phone.yaopai.createClient({ app: 'shop', server: shop, storageKey: 'two' })
    const before = phone.server.log.length
    assert.equal((await phone.run(two.request({ url: `${shop}/b` }))).statusCode, 200)
    assert.notEqual(two.session.id, one.session.id)
    assert.equal(phone.server.log.length, before + 2)
    assert.ok(phone.server.log.at(-1).headers['signature-input'].includes(two.session.id))
    two.connectSocket({ url: 'wss://shop.example/ws' })
    await phone.clock.advance(1000)
    assert.equal(phone.server.count('/ticket'), 1)
  }
})

test('a second copy that can\'t see the first, behind another\'s patch: nothing is signed twice', async () => {
  const phone = new Phone()
  phone.install()
  const ours = phone.wx.request
  phone.wx.request = o => ours(o)
  const copy = phone.load('index').install({ app: 'shop', server: shop })
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  assert.equal(phone.server.log.length, 2)
  assert.ok(copy.session)
  assert.equal(phone.client.session, undefined)
})

test('client() before install says what is missing', () => {
  assert.throws(() => new Phone().yaopai.client(), /install/)
})

test('sentry-miniapp #280: an accessor that swallows an assignment', async () => {
  const phone = new Phone({
    wx(wx) {
      for (const name of NAMES) {
        const value = wx[name]
        Object.defineProperty(wx, name, { configurable: true, enumerable: true, get: () => value, set() {} })
      }
    },
  })
  const client = phone.install()
  assert.equal(client.installed, true)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  client.uninstall()
  assert.equal(typeof Object.getOwnPropertyDescriptor(phone.wx, 'request').get, 'function')
})

test('page-spy #120: who comes later can patch again', async () => {
  const phone = new Phone()
  phone.install()
  const { configurable, writable } = Object.getOwnPropertyDescriptor(phone.wx, 'request')
  assert.deepEqual([configurable, writable], [true, true])
})

test('wxapp-api-interceptors #9: frozen wx: install() reports false, the wrapper works', async () => {
  for (const freeze of [wx => Object.freeze(wx), wx => Object.defineProperty(wx, 'downloadFile', { value: wx.downloadFile, writable: false, configurable: false })]) {
    const phone = new Phone({ wx: freeze })
    const before = phone.wx.request
    const client = phone.install()
    assert.equal(client.installed, false)
    assert.equal(phone.wx.request, before)
    assert.equal((await phone.run(client.request({ url: `${shop}/a` }))).statusCode, 200)
  }
})

test('install after Sentry: both are called, and uninstall of either leaves the other', async () => {
  const phone = new Phone()
  const calls = []
  const first = phone.wx.request
  phone.wx.request = o => (calls.push('sentry 1'), first(o))
  const sentry = phone.wx.request
  const client = phone.install()
  await phone.request(`${shop}/a`)
  assert.deepEqual(calls, ['sentry 1', 'sentry 1'])
  const ours = phone.wx.request
  phone.wx.request = o => (calls.push('sentry 2'), ours(o))
  const after = phone.wx.request
  await phone.request(`${shop}/a`)
  // Our own calls don't go through what was patched after us.
  assert.deepEqual(calls.slice(2), ['sentry 2', 'sentry 1'])
  client.uninstall()
  assert.equal(phone.wx.request, after)
  // What is left of us behind the other's passes requests through as they are.
  const before = phone.server.log.length
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 401)
  assert.equal(phone.server.log.length, before + 1)
  assert.equal(phone.server.log.at(-1).headers.authorization, undefined)
  assert.equal((await phone.run(client.request({ url: `${shop}/a` }))).statusCode, 200)
  phone.wx.request = ours
  assert.notEqual(sentry, ours)
})

test('uninstall restores the descriptors, and a new install works', async () => {
  const phone = new Phone()
  const before = Object.getOwnPropertyDescriptors(phone.wx)
  const client = phone.install()
  assert.notEqual(phone.wx.request, before.request.value)
  client.uninstall()
  for (const name of NAMES) assert.deepEqual(Object.getOwnPropertyDescriptor(phone.wx, name), before[name])
  assert.equal(client.installed, false)
  assert.equal(phone.onShow, undefined)
  const again = phone.install()
  assert.notEqual(again, client)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
})

test('a wx that is its prototype\'s', async () => {
  const phone = new Phone()
  phone.wx = Object.create(phone.wx)
  phone.context.wx = phone.wx
  const client = phone.install()
  assert.equal(client.installed, true)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  client.uninstall()
  assert.equal(Object.getOwnPropertyDescriptor(phone.wx, 'request'), undefined)
})

test('uni-app #409, weapp-cookie #58: a global that is a Proxy, open or closed', async () => {
  const closed = { set: () => true, defineProperty: () => false }
  for (const [trap, installed] of [[{}, true], [{ set: () => true }, true], [closed, false], [{ set: () => false, defineProperty: () => false }, false]]) {
    const phone = new Phone({ noGlobal: true })
    const real = phone.wx
    phone.wx = new Proxy(real, trap)
    const client = phone.install({ platform: phone.wx })
    assert.equal(client.installed, installed)
    if (installed) assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
    assert.equal((await phone.run(client.request({ url: `${shop}/b` }))).statusCode, 200)
    client.uninstall()
    assert.equal(phone.wx.request, real.request)
  }
})
