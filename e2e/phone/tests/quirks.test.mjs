// Each quirk is seen by the app's own code.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ground, PROBE } from './ground.mjs'

const here = ground()

// Quirks that don't touch each other share a phone.
const SETS = {
  plain: {},
  first: { setCookie: 'semicolon', headerCase: 'lower', accessorRequest: true, macrotaskPromise: true, storageFailure: 'write' },
  second: { setCookie: 'array', headerCase: 'upper', noCookies: true, frozenWx: true, noBigInt: true, noProxy: true, noRandomValues: true, storageFailure: 'read' },
  third: { headerCase: 'title', storageFailure: 'all', wrongClock: -3_600_000 },
}
const phones = {}
before(async () => {
  for (const [name, quirks] of Object.entries(SETS)) phones[name] = await here.start(PROBE, { quirks, manualClock: name === 'third' })
})

/** What a function of the app answers, on each of these phones. */
async function each(run, names = Object.keys(phones)) {
  const found = {}
  for (const name of names) found[name] = await phones[name].evaluate(run)
  return found
}
const cookies = ({ app }) => app.callback('request', { url: 'https://shop.example/cookies' })
const [A, B] = ['a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT', 'b=2']

test('Set-Cookie: joined by commas, by semicolons, or an array; and res.cookies, or none', async () => {
  const { plain, first, second } = await each(cookies)
  assert.deepEqual([plain.header['Set-Cookie'], plain.cookies], [`${A},${B}`, [A, B]])
  assert.deepEqual([first.header['set-cookie'], first.cookies], [`${A};${B}`, [A, B]])
  assert.deepEqual([second.header['SET-COOKIE'], second.cookies], [[A, B], undefined])
})

test('headerCase: as sent, small letters, capitals, or one capital a word', async () => {
  const { plain, first, second, third } = await each(cookies)
  assert.deepEqual([plain.header['X-some-Thing'], first.header['x-some-thing'], second.header['X-SOME-THING'], third.header['X-Some-Thing']], ['x', 'x', 'x', 'x'])
})

test('wx.request: a plain field, an accessor that swallows what is assigned, or frozen', async () => {
  const { plain, first, second } = await each(({ app }) => app.patch())
  assert.deepEqual(plain, { assigned: true, defined: true, thrown: '', was: 'function' })
  assert.deepEqual(first, { assigned: false, defined: true, thrown: '', was: 'function' })
  assert.deepEqual(second, { assigned: false, defined: false, thrown: 'TypeError', was: 'function' })
})

test('macrotaskPromise: then comes after the timers that are due, for async functions too, and wx answers with the same kind', async () => {
  const { plain, first } = await each(({ app }) => app.order(), ['plain', 'first'])
  assert.deepEqual([plain.at(-1), first[0]], ['timer', 'timer'])
  const kinds = await each(({ wx, phone }) => [wx.getNetworkType() instanceof phone.world.Promise, wx.getNetworkType() instanceof Promise])
  assert.deepEqual([kinds.plain, kinds.first], [[true, true], [true, false]])
})

test('noBigInt, noProxy, noRandomValues', async () => {
  const { plain, second } = await each(({ app, phone }) => [app.bigint(), typeof phone.world.Proxy, ...app.random()])
  assert.deepEqual(plain, ['function', 'function', 'function', 'function'])
  assert.deepEqual(second, ['undefined', 'undefined', 'undefined', 'undefined'])
})

test('storageFailure: writes, reads, or both', async () => {
  const { plain, first, second, third } = await each(({ app }) => app.storage())
  assert.deepEqual(plain, [])
  assert.deepEqual(first, ['setStorageSync:fail write failed'])
  assert.deepEqual(second, ['getStorageSync:fail read failed'])
  assert.equal(third.length, 2)
})

test('wrongClock, and time that passes at once', async () => {
  const { third } = phones
  const now = () => third.evaluate(({ app }) => app.now())
  const { start } = third.client.clock
  assert.equal(await now(), start - 3_600_000)
  await third.clock(1_200_000)
  assert.equal(await now(), start - 2_400_000)
  assert.deepEqual(await third.evaluate(({ app }) => app.date()), [true, 0, 'string', true])
})
