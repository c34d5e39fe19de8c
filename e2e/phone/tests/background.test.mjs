// An app that isn't on the screen runs on for five seconds and then stands still.

import assert from 'node:assert/strict'
import { before, beforeEach, test } from 'node:test'
import { ground, PROBE } from './ground.mjs'

const here = ground()
// One phone for all: on the screen, and nothing told yet, when a test begins.
let phone
before(async () => { phone = await here.start(PROBE, { manualClock: true }) })
beforeEach(async () => {
  await phone.foreground()
  await phone.clock(100_000)
  await told()
})
const told = () => phone.evaluate(({ app }) => app.told.splice(0))

test('timers run for five seconds, stop, and go on when the app is back', async () => {
  await phone.evaluate(({ app }) => app.timers())
  await phone.background()
  await phone.clock(2500)
  assert.deepEqual(await told(), ['one hide', 'hide', 'wx.onAppHide', 'interval', 'interval'])
  await phone.clock(2500)
  assert.deepEqual(await told(), ['interval'])
  await phone.clock(120_000)
  assert.deepEqual(await told(), [])
  await phone.foreground()
  await phone.clock(0)
  assert.deepEqual(await told(), ['show', 'wx.onAppShow', 'one show', 'timeout'])
})

test('back within five seconds nothing stops', async () => {
  await phone.evaluate(({ app }) => app.timers())
  await phone.background()
  await phone.clock(4900)
  await phone.foreground()
  await told()
  await phone.clock(60_000)
  assert.deepEqual(await told(), ['timeout'])
})

test('a request that is under way when the app is frozen is interrupted; the app hears of it when it is back', async () => {
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
  await phone.evaluate(({ app }) => { app.pending = app.task({ url: 'https://shop.example/hold' }) })
  while (here.shop.held.length === 0) await new Promise(done => setTimeout(done, 10))
  await phone.background()
  for (const answer of here.shop.held.splice(0)) answer()
  while (await phone.evaluate(({ app }) => app.pending.result.length === 0)) await new Promise(done => setTimeout(done, 10))
  assert.deepEqual(await phone.evaluate(({ app }) => app.pending.result), ['success', 'complete'])
})

test('a socket is closed when the app is frozen', async () => {
  await phone.evaluate(({ wx, app }) => new Promise(done => {
    const socket = wx.connectSocket({ url: 'wss://shop.example/echo' })
    socket.onOpen(done)
    socket.onClose(({ code }) => app.log(`closed ${code}`))
  }))
  await told()
  await phone.background()
  await phone.clock(5000)
  await phone.foreground()
  assert.ok((await told()).includes('closed 1006'))
})

test('a restart keeps the storage, and nothing else', async () => {
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
  const before = await phone.evaluate(({ app }) => app.now())
  await phone.clock(60_000)
  await phone.evaluate(({ wx }) => wx.clearStorageSync())
  await phone.restart()
  assert.deepEqual(await phone.storage(), {})
  assert.equal(await phone.evaluate(({ app }) => app.now()), before + 60_000)
})

test('two phones have a storage each', async () => {
  await phone.evaluate(({ wx }) => wx.setStorageSync('a', 1))
  assert.equal(await (await here.start(PROBE)).evaluate(({ wx }) => wx.getStorageSync('a')), '')
})
