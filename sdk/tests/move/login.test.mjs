// A login that is answered `not_moved`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'
import { asked, installed, isAsGiven, isSilent, legacyPhone, logins, old, restarted } from './phone.mjs'

const HOUR = 3600 * 1000
const asking = (phone, options) => new Promise((success, fail) => phone.wx.request({ ...options, success, fail }))

test('1,000 parallel first requests of a person on the legacy side: one wx.login, and all go on as they were given', async () => {
  const phone = legacyPhone()
  const all = await phone.run(Promise.all(Array.from({ length: 1000 }, (_, i) => asking(phone, old(`/mine/${i}`)))))
  assert.ok(all.every(({ statusCode, data }) => statusCode === 200 && data.side === 'legacy'))
  assert.equal(phone.count('login'), 1)
  assert.equal(logins(phone), 1)
  assert.equal(phone.server.log.length, 1001)
  phone.server.log.slice(1).forEach(isAsGiven)
  isSilent(phone)
})

test('while aside no login, and none after a restart', async () => {
  let phone = legacyPhone()
  await phone.request(old())
  await phone.clock.advance(HOUR - 60000)
  for (let i = 0; i < 3; i++) {
    assert.equal((await phone.request(old())).data.side, 'legacy')
    phone = restarted(phone)
  }
  assert.equal((await phone.request(old())).data.side, 'legacy')
  assert.equal(await phone.run(phone.move.side()), 'legacy')
  assert.equal(phone.count('login'), 0)
  assert.equal(logins(phone), 1)
})

test('the time is over: one login by any number of requests, none of which waits for it; who has moved stays', async () => {
  const phone = legacyPhone()
  await phone.request(old())
  await phone.clock.advance(HOUR)
  await phone.run(Promise.all(Array.from({ length: 50 }, () => asking(phone, old()))))
  assert.equal(logins(phone), 2)
  phone.server.stayers.clear()
  await phone.clock.advance(HOUR)
  const all = await phone.run(Promise.all(Array.from({ length: 50 }, () => asking(phone, old()))))
  assert.ok(all.every(({ data }) => data.side === 'legacy'))
  await phone.clock.advance(1000)
  assert.equal((await phone.request(old())).data.ok, true)
  assert.equal(logins(phone), 3)
  assert.match(phone.server.log.at(-1).headers.authorization, /^Bearer/)
  await phone.clock.advance(100)
  assert.deepEqual(phone.told, ['yaopai'])
  const again = restarted(phone)
  assert.equal((await again.request(old())).data.ok, true)
  assert.equal(await again.run(again.move.side()), 'yaopai')
  assert.equal(logins(again), 3)
})

test('a refusal that is not not_moved is none either, and is told', async () => {
  for (const [code, status] of [['user_disabled', 403], ['session_limit', 409], ['platform_blocked', 403]]) {
    const phone = installed(new Phone())
    phone.server.refuse('/session', code, status)
    await assert.rejects(phone.request(old()), { code })
    assert.equal(phone.modals.length, 1)
    assert.equal(phone.passed.length, 0)
  }
})

test('an outage takes the session of old from nobody: who was on the legacy side stays, and asks again after a minute', async () => {
  const outages = [
    phone => { for (let i = 0; i < 4; i++) phone.fault('/session', 'unsent') },
    phone => { for (let i = 0; i < 4; i++) phone.server.refuse('/session', 'platform_unavailable', 503, { retry: 2 }) },
    phone => { phone.wx.login = undefined },
  ]
  for (const [n, outage] of outages.entries()) {
    // (The last one: the platform gives no code.)
    let phone = legacyPhone({ wx: (wx, self) => { const login = wx.login; wx.login = o => (self.isDown ? o.fail({ errMsg: 'login:fail' }) : login(o)) } })
    await phone.request(old())
    await phone.clock.advance(HOUR)
    if (n === 1) phone = restarted(phone)
    if (n === 2) phone.isDown = true
    else outage(phone)
    assert.equal((await phone.request(old())).data.side, 'legacy')
    const before = phone.count('login')
    assert.equal((await phone.request(old())).data.side, 'legacy')
    assert.equal(phone.count('login'), before)
    phone.isDown = false
    phone.faults.length = phone.server.refusals.length = 0
    phone.server.stayers.clear()
    await phone.clock.advance(61000)
    assert.equal((await asked(phone)).data.ok, true)
    isSilent(phone)
  }
})

test('nor does a refusal: who has a session of old keeps it, whatever the login is answered, and asks again after a minute', async () => {
  for (const [code, status] of [['binding_conflict', 409], ['session_limit', 409], ['platform_blocked', 403], ['user_disabled', 403], ['code_invalid', 400]]) {
    const phone = legacyPhone()
    await phone.request(old())
    await phone.clock.advance(HOUR)
    for (let i = 0; i < 4; i++) phone.server.refuse('/session', code, status)
    assert.equal((await phone.request(old())).data.side, 'legacy', code)
    const before = phone.count('login')
    assert.equal((await phone.request(old())).data.side, 'legacy', code)
    assert.equal(phone.count('login'), before)
    phone.server.refusals.length = 0
    phone.server.stayers.clear()
    await phone.clock.advance(61000)
    assert.equal((await asked(phone)).data.ok, true)
    isSilent(phone)
  }
})

test('a phone clock that is wrong: no longer than twice what was asked, whichever way it was set', async () => {
  for (const by of [-24 * HOUR, 24 * HOUR, -2 * HOUR, -HOUR / 2]) {
    for (const isRestarted of [false, true]) {
      let phone = legacyPhone()
      await phone.request(old())
      phone.server.stayers.clear()
      phone.skew = by
      if (isRestarted) phone = restarted(phone)
      let waited = 0
      while ((await asked(phone)).data.side === 'legacy') {
        assert.ok((waited += HOUR / 4) <= 2 * HOUR, `${by}`)
        await phone.clock.advance(HOUR / 4)
      }
      // A jump out of the hour asks at once.
      if (Math.abs(by) >= HOUR) assert.equal(waited, 0)
    }
  }
})

test('Retry-After: without one, or with one that makes no sense, an hour, and never more than a day', async () => {
  for (const [retry, hours] of [[undefined, 1], [30 * 86400, 24], [600, 1 / 6], [-5, 1], ['soon', 1]]) {
    const phone = legacyPhone()
    phone.server.askAgain = retry
    await phone.request(old())
    phone.server.stayers.clear()
    await phone.clock.advance(hours * HOUR - 10000)
    assert.equal((await asked(phone)).data.side, 'legacy')
    await phone.clock.advance(10000)
    assert.equal((await asked(phone)).data.ok, true)
  }
})

test('what is stored is believed only if it is of this app, server and mode, and within bounds', async () => {
  const phone = legacyPhone()
  await phone.request(old())
  phone.server.stayers.clear()
  const { data } = phone.storage.get('yaopai.move')
  const kept = JSON.parse(data)
  for (const wrong of ['', 'x', 'null', '[]', '{}', JSON.stringify({ ...kept, of: 'another' }), JSON.stringify({ ...kept, ms: 1e12 }), JSON.stringify({ ...kept, since: 'x' }), JSON.stringify({ ...kept, ms: null })]) {
    phone.storage.set('yaopai.move', { data: wrong, encrypt: true })
    const again = restarted(phone)
    assert.equal((await asked(again)).data.ok, true, wrong)
    again.storage.delete('yaopai')
  }
})

test('a storage that can\'t be written: known until the restart, which asks once', async () => {
  const phone = legacyPhone()
  phone.storageFails = true
  await phone.request(old())
  await phone.request(old())
  assert.equal(logins(phone), 1)
  const again = restarted(phone)
  await again.request(old())
  assert.equal(logins(phone), 2)
})

test('two clients of one mini program: the app that hasn\'t moved is the only one that stands aside', async () => {
  const phone = legacyPhone()
  await phone.request(old())
  const other = phone.yaopai.createClient({ app: 'shop', server: 'https://trial.example', storageKey: 'two', move: phone.load('move').move({ storageKey: 'two.move' }) })
  phone.server.stayers.clear()
  assert.equal((await phone.run(other.request({ url: 'https://trial.example/a' }))).data.ok, true)
  assert.equal((await phone.request(old())).data.side, 'legacy')
})

test('not_moved, and the mini program has no `move`: told, as any refusal, and no storm of logins', async () => {
  const phone = new Phone()
  phone.server.stayers.add('xiaoming')
  phone.install()
  await assert.rejects(phone.request(old()), { code: 'not_moved' })
  await assert.rejects(phone.request(old()), { code: 'not_moved' })
  assert.deepEqual([phone.modals.length, logins(phone), phone.passed.length], [1, 1, 0])
})

test('side(): asks once, for any number; before the install it waits', async () => {
  for (const side of ['legacy', 'yaopai']) {
    const phone = new Phone()
    if (side === 'legacy') phone.server.stayers.add('xiaoming')
    phone.move = phone.load('move').move()
    const early = phone.move.side()
    phone.install({ move: phone.move })
    assert.deepEqual(await phone.run(Promise.all([early, phone.move.side(), phone.move.side()])), [side, side, side])
    assert.equal(phone.count('login'), 1)
    assert.equal(phone.count('request'), 1)
  }
})

test('Promise as a macrotask: the same', async () => {
  const phone = legacyPhone({ macrotask: true })
  await phone.run(Promise.all(Array.from({ length: 30 }, () => asking(phone, old()))))
  assert.equal(logins(phone), 1)
  assert.equal(phone.passed.length, 30)
})

test('createClient: the client\'s own functions go on as given too, and its calls say not_moved', async () => {
  const phone = new Phone()
  phone.server.stayers.add('xiaoming')
  phone.server.legacy = () => ({ status: 200, body: { side: 'legacy' } })
  const move = phone.load('move').move()
  const client = phone.create({ move })
  for (let i = 0; i < 2; i++) assert.equal((await phone.run(client.request(old()))).data.side, 'legacy')
  for (const call of [() => client.login(), () => client.phone('c'), () => client.stepUp(), () => client.ticket(shop + '/a', 'image')]) {
    await assert.rejects(phone.run(call()), { code: 'not_moved' })
  }
  assert.equal(logins(phone), 1)
  isSilent(phone)
})
