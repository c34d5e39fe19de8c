import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cookieJar, NOW } from './subject.mjs'

const SHOP = 'https://shop.example/'
const LASTS = 'Path=/; Max-Age=1000'

/** A phone's storage. `hold` makes it answer only when told. */
class Storage {
  kept = new Map()
  waiting = []
  writes = 0
  hold = false

  async read(key) {
    await this.turn()
    return this.kept.get(key)
  }

  async write(key, value) {
    this.writes++
    await this.turn()
    this.kept.set(key, value)
  }

  turn() {
    return new Promise(done => this.hold ? this.waiting.push(done) : done())
  }
}

const settled = () => new Promise(done => setImmediate(done))

async function restarted(storage, options = {}, now = NOW) {
  const jar = cookieJar(options)
  await jar.open(storage, now)
  return jar.header('https://shop.example/x', now)
}

test('cookies with an end outlive a restart, others only if that is asked for', async () => {
  for (const keepSession of [false, true]) {
    const storage = new Storage()
    const jar = cookieJar({ keepSession })
    await jar.open(storage, NOW)
    jar.take(SHOP, { cookies: [`a=1; ${LASTS}; HttpOnly; Secure`, 'b=2', `c=3; ${LASTS}`, 'd=4; Path=/x; Max-Age=1000'] }, NOW)
    await settled()
    assert.equal(await restarted(storage, { keepSession }), keepSession ? 'd=4; a=1; b=2; c=3' : 'd=4; a=1; c=3')
    assert.equal(await restarted(storage, { keepSession }, NOW + 1_000_000), keepSession ? 'b=2' : undefined)
  }
})

test('what a cookie may reach is the same after a restart', async () => {
  const storage = new Storage()
  const jar = cookieJar()
  await jar.open(storage, NOW)
  jar.take(SHOP, { cookies: [`a=1; ${LASTS}; Secure`, `b=2; ${LASTS}; Domain=shop.example`] }, NOW)
  await settled()
  const again = cookieJar()
  await again.open(storage, NOW)
  assert.equal(again.header('http://shop.example/', NOW), 'b=2')
  assert.equal(again.header('https://www.shop.example/', NOW), 'b=2')
  assert.equal(again.header('https://bank.example/', NOW), undefined)
})

test('a cookie that came before the storage answered goes before the one in it', async () => {
  const storage = new Storage()
  const first = cookieJar()
  await first.open(storage, NOW)
  first.take(SHOP, { cookies: [`a=old; ${LASTS}`, `b=old; ${LASTS}`] }, NOW)
  await settled()
  const jar = cookieJar()
  storage.hold = true
  const opened = jar.open(storage, NOW)
  jar.take(SHOP, { cookies: [`b=new; ${LASTS}`] }, NOW)
  storage.hold = false
  storage.waiting.shift()()
  await opened
  await settled()
  assert.equal(jar.header(SHOP, NOW), 'a=old; b=new')
  assert.equal(await restarted(storage), 'a=old; b=new')
})

test('cleared while the storage is read: what is in it does not come back', async () => {
  const storage = new Storage()
  const first = cookieJar()
  await first.open(storage, NOW)
  first.take(SHOP, { cookies: [`a=1; ${LASTS}`] }, NOW)
  await settled()
  const jar = cookieJar()
  storage.hold = true
  const opened = jar.open(storage, NOW)
  jar.clear()
  storage.hold = false
  storage.waiting.shift()()
  await opened
  await settled()
  assert.equal(jar.header(SHOP, NOW), undefined)
  assert.equal(await restarted(storage), undefined)
})

test('one write at a time, and the last state is what is written', async () => {
  const storage = new Storage()
  const jar = cookieJar()
  await jar.open(storage, NOW)
  await settled()
  storage.hold = true
  const before = storage.writes
  for (const value of ['1', '2', '3']) jar.take(SHOP, { cookies: [`a=${value}; ${LASTS}`] }, NOW)
  assert.equal(storage.writes, before + 1)
  storage.hold = false
  storage.waiting.shift()()
  await settled()
  assert.equal(storage.writes, before + 2)
  assert.equal(await restarted(storage), 'a=3')
})

test('clear reaches the storage', async () => {
  const storage = new Storage()
  const jar = cookieJar()
  await jar.open(storage, NOW)
  jar.take(SHOP, { cookies: [`a=1; ${LASTS}`] }, NOW)
  await settled()
  assert.equal(await restarted(storage), 'a=1')
  jar.clear()
  await settled()
  assert.equal(await restarted(storage), undefined)
})

test('a storage that cannot be read is written all the same', async () => {
  const storage = new Storage()
  const jar = cookieJar()
  await jar.open({ read: () => Promise.reject(new Error('damaged')), write: (key, value) => storage.write(key, value) }, NOW)
  jar.take(SHOP, { cookies: [`a=1; ${LASTS}`] }, NOW)
  await settled()
  assert.equal(await restarted(storage), 'a=1')
})

test('a storage that fails leaves a jar in memory', async () => {
  const fails = () => { throw new Error('no storage') }
  const rejects = () => Promise.reject(new Error('no storage'))
  for (const storage of [{ read: fails, write: fails }, { read: rejects, write: rejects }]) {
    const jar = cookieJar()
    await jar.open(storage, NOW)
    jar.take(SHOP, { cookies: [`a=1; ${LASTS}`] }, NOW)
    await settled()
    jar.take(SHOP, { cookies: [`b=2; ${LASTS}`] }, NOW)
    assert.equal(jar.header(SHOP, NOW), 'a=1; b=2')
  }
})

test('what somebody else has put into the storage is no cookie and no error', async () => {
  const row = ['a', '1', 'shop.example', '/', null, 4, 1]
  for (const [text, header] of [
    ['', undefined], ['{', undefined], ['null', undefined], ['5', undefined], ['[]', undefined], ['{"v":1}', undefined],
    ['{"v":1,"cookies":[null,5,[],["a"]]}', undefined],
    [JSON.stringify({ v: 2, cookies: [row] }), undefined],
    [JSON.stringify({ v: 1, cookies: [row, [...row.slice(0, 4), 'soon', 4, 1]] }), 'a=1'],
  ]) {
    const storage = new Storage()
    storage.kept.set('yaopai.cookies', text)
    assert.equal(await restarted(storage, { keepSession: true }), header, text)
  }
})

test('what is written stays far below the mebibyte that a key may hold: the longest unused stay out', async () => {
  const storage = new Storage()
  const jar = cookieJar({ storageKey: 'jar' })
  await jar.open(storage, NOW)
  for (let i = 0; i < 300; i++) {
    if (i === 299) jar.header('https://h0.example/', NOW)
    jar.take(`https://h${i % 10}.example/`, { cookies: [`c${i}=${'x'.repeat(4000)}; Max-Age=1000`] }, NOW)
  }
  await settled()
  const kept = storage.kept.get('jar')
  assert.ok(kept.length <= 400_000, String(kept.length))
  assert.ok(kept.length > 300_000, String(kept.length))
  assert.ok(kept.includes('"c299"') && kept.includes('"c0"') && !kept.includes('"c1"'))
})
