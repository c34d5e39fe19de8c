// An app that isn't on the screen runs on for five seconds and then stands still.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ground, HELLO, PROBE } from './ground.mjs'

const here = ground()
const told = phone => phone.evaluate(({ app }) => app.told.splice(0))

test('timers run for five seconds, stop, and go on when the app is back', async () => {
  const phone = await here.start(PROBE)
  await told(phone)
  await phone.evaluate(({ app }) => app.timers())
  await phone.background()
  await phone.clock(2500)
  assert.deepEqual(await told(phone), ['one hide', 'hide', 'interval', 'interval'])
  await phone.clock(2500)
  assert.deepEqual(await told(phone), ['interval'])
  await phone.clock(120_000)
  assert.deepEqual(await told(phone), [])
  await phone.foreground()
  await phone.clock(0)
  assert.deepEqual(await told(phone), ['show', 'one show', 'timeout'])
})

test('back within five seconds nothing stops', async () => {
  const phone = await here.start(PROBE)
  await phone.evaluate(({ app }) => app.timers())
  await phone.background()
  await phone.clock(4900)
  await phone.foreground()
  await told(phone)
  await phone.clock(60_000)
  assert.deepEqual(await told(phone), ['timeout'])
})

test('a request that is under way when the app is frozen is interrupted; the app hears of it when it is back', async () => {
  const phone = await here.start(PROBE)
  await phone.evaluate(({ app }) => { app.pending = app.task({ url: 'https://shop.example/hold' }) })
  while (here.shop.held.length === 0) await new Promise(done => setTimeout(done, 10))
  await phone.background()
  await phone.clock(5000)
  for (const answer of here.shop.held.splice(0)) answer()
  await phone.clock(60_000)
  assert.deepEqual(await phone.evaluate(({ app }) => app.pending.result), [])
  await phone.foreground()
  assert.deepEqual(await phone.evaluate(({ app }) => app.pending.result), ['request:fail interrupted', 'complete'])
})

test('one that is answered within five seconds is answered', async () => {
  const phone = await here.start(PROBE)
  await phone.evaluate(({ app }) => { app.pending = app.task({ url: 'https://shop.example/hold' }) })
  while (here.shop.held.length === 0) await new Promise(done => setTimeout(done, 10))
  await phone.background()
  for (const answer of here.shop.held.splice(0)) answer()
  while (await phone.evaluate(({ app }) => app.pending.result.length === 0)) await new Promise(done => setTimeout(done, 10))
  assert.deepEqual(await phone.evaluate(({ app }) => app.pending.result), ['success', 'complete'])
})

test('a socket is closed when the app is frozen', async () => {
  const phone = await here.start(PROBE)
  await phone.evaluate(({ wx, app }) => new Promise(done => {
    const socket = wx.connectSocket({ url: 'wss://shop.example/echo' })
    socket.onOpen(done)
    socket.onClose(({ code }) => app.log(`closed ${code}`))
  }))
  await told(phone)
  await phone.background()
  await phone.clock(5000)
  await phone.foreground()
  assert.ok((await told(phone)).includes('closed 1006'))
})

test('a restart keeps the storage, and nothing else', async () => {
  const phone = await here.start(PROBE)
  await phone.evaluate(async ({ wx, app }) => {
    wx.setStorageSync('a', { b: [1, '中'] })
    await wx.setStorage({ key: 'c', data: 'secret', encrypt: true })
    wx.setStorageSync('gone', 1)
    wx.removeStorageSync('gone')
    app.kept = true
  })
  await phone.restart()
  const found = await phone.evaluate(async ({ wx, app }) => ({
    a: wx.getStorageSync('a'), c: (await wx.getStorage({ key: 'c', encrypt: true })).data, gone: wx.getStorageSync('gone'), kept: app.kept,
    plain: wx.getStorageSync('c'), miss: await wx.getStorage({ key: 'c' }).catch(error => error.errMsg),
  }))
  assert.deepEqual(found, { a: { b: [1, '中'] }, c: 'secret', gone: '', kept: undefined, plain: '', miss: 'getStorage:fail data not found' })
  await phone.evaluate(({ wx }) => wx.clearStorageSync())
  await phone.restart()
  assert.deepEqual(await phone.storage(), {})
})

test('two phones have a storage each, and one person can have two', async () => {
  const one = await here.start(HELLO)
  const two = await here.start(HELLO)
  await one.evaluate(({ wx }) => wx.setStorageSync('a', 1))
  assert.equal(await two.evaluate(({ wx }) => wx.getStorageSync('a')), '')
})
