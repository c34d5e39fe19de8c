// Each quirk is seen by the app's own code.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ground, PROBE } from './ground.mjs'

const here = ground()
const cookies = phone => phone.evaluate(({ app }) => app.callback('request', { url: 'https://shop.example/cookies' }))
const [A, B] = ['a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT', 'b=2']

test('Set-Cookie: joined by commas, by semicolons, or an array', async () => {
  const plain = await cookies(await here.start(PROBE))
  assert.deepEqual([plain.header['Set-Cookie'], plain.cookies], [`${A},${B}`, [A, B]])
  assert.equal((await cookies(await here.start(PROBE, { quirks: { setCookie: 'semicolon' } }))).header['Set-Cookie'], `${A};${B}`)
  assert.deepEqual((await cookies(await here.start(PROBE, { quirks: { setCookie: 'array' } }))).header['Set-Cookie'], [A, B])
})

test('noCookies: no res.cookies', async () => {
  assert.equal((await cookies(await here.start(PROBE, { quirks: { noCookies: true } }))).cookies, undefined)
})

test('headerCase: small letters, capitals, or one capital a word', async () => {
  for (const [headerCase, name] of [['lower', 'x-some-thing'], ['upper', 'X-SOME-THING'], ['title', 'X-Some-Thing']]) {
    assert.equal((await cookies(await here.start(PROBE, { quirks: { headerCase } }))).header[name], 'x', headerCase)
  }
})

test('wx.request: a plain field, an accessor that swallows what is assigned, or frozen', async () => {
  const patch = async quirks => (await here.start(PROBE, { quirks })).evaluate(({ app }) => app.patch())
  assert.deepEqual(await patch({}), { assigned: true, defined: true, thrown: '', was: 'function' })
  assert.deepEqual(await patch({ accessorRequest: true }), { assigned: false, defined: true, thrown: '', was: 'function' })
  assert.deepEqual(await patch({ frozenWx: true }), { assigned: false, defined: false, thrown: 'TypeError', was: 'function' })
})

test('macrotaskPromise: then comes after the timers that are due, for async functions too', async () => {
  const order = async quirks => (await here.start(PROBE, { quirks })).evaluate(({ app }) => app.order())
  assert.equal((await order({})).at(-1), 'timer')
  assert.equal((await order({ macrotaskPromise: true }))[0], 'timer')
})

test('macrotaskPromise: wx answers with the same kind', async () => {
  const phone = await here.start(PROBE, { quirks: { macrotaskPromise: true } })
  assert.deepEqual(await phone.evaluate(({ wx, phone: inside }) => {
    const promise = wx.getNetworkType()
    return [promise instanceof inside.world.Promise, promise instanceof Promise]
  }), [true, false])
})

test('noBigInt, noProxy, noRandomValues', async () => {
  const plain = await here.start(PROBE)
  assert.equal(await plain.evaluate(({ app }) => app.bigint()), 'function')
  assert.deepEqual(await plain.evaluate(({ app }) => app.random()), ['function', 'function'])
  const odd = await here.start(PROBE, { quirks: { noBigInt: true, noProxy: true, noRandomValues: true } })
  assert.equal(await odd.evaluate(({ app }) => app.bigint()), 'undefined')
  assert.equal(await odd.evaluate(({ phone: inside }) => typeof inside.world.Proxy), 'undefined')
  assert.deepEqual(await odd.evaluate(({ app }) => app.random()), ['undefined', 'undefined'])
})

test('storageFailure: reads, writes, or both', async () => {
  const failing = async storageFailure => (await here.start(PROBE, { quirks: { storageFailure } })).evaluate(({ app }) => app.storage())
  assert.deepEqual(await failing(undefined), [])
  assert.deepEqual(await failing('write'), ['setStorageSync:fail write failed'])
  assert.deepEqual(await failing('read'), ['getStorageSync:fail read failed'])
  assert.equal((await failing('all')).length, 2)
})

test('a wrong clock, and time that passes at once', async () => {
  const phone = await here.start(PROBE, { clockOffset: -3_600_000 })
  const now = () => phone.evaluate(({ app }) => app.now())
  const wrong = await now() - Date.now()
  assert.ok(Math.abs(wrong + 3_600_000) < 2000, String(wrong))
  await phone.clock(1_200_000)
  const later = await now() - Date.now()
  assert.ok(Math.abs(later + 2_400_000) < 2000, String(later))
  assert.deepEqual(await phone.evaluate(({ app }) => app.date()), [true, 0, 'string', true])
})
