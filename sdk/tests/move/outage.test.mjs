// An outage of our server, or of what it needs, in a move: everybody stays where they were, and whoever is on the side of old waits for
// nothing of ours.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone } from '../support/phone.mjs'
import { asked, breakable, installed, isAsGiven, isSilent, legacyPhone, logins, old, OUTAGES, restarted } from './phone.mjs'

const HOUR = 3600 * 1000
// Twice what the phone takes to its server and back.
const AT_ONCE = 2 * 40
const PATIENCE = 10000
const asking = (phone, options) => new Promise((success, fail) => phone.wx.request({ ...options, success, fail }))

/** Sends it; answers what came, and after how long. */
async function timed(phone, options = old()) {
  const before = phone.clock.time
  const answer = await phone.request(options)
  return { answer, took: phone.clock.time - before }
}

for (const outage of Object.keys(OUTAGES)) {
  for (const isRestarted of [false, true]) {
    test(`${outage}${isRestarted ? ', restarted' : ''}: who is known to be on the side of old waits for nothing, and is asked about until somebody answers`, async () => {
      let phone = legacyPhone(breakable())
      await phone.request(old())
      phone.outage = outage
      await phone.clock.advance(HOUR)
      for (let minute = 0; minute < 10; minute++) {
        if (isRestarted) phone = restarted(phone)
        for (let i = 0; i < 3; i++) {
          const { answer, took } = await timed(phone)
          assert.equal(answer.data.side, 'legacy')
          assert.ok(took <= AT_ONCE, `${took} ms, minute ${minute}`)
          isAsGiven(phone.server.log.at(-1))
          await phone.clock.advance(20000)
        }
        assert.equal(await phone.run(phone.move.side()), 'legacy')
      }
      assert.equal(logins(phone), 1)
      // One question a minute, sent four times at most, or so many codes asked for.
      assert.ok((phone.attempts || 0) <= 44 && phone.count('login') <= 33, `${phone.attempts}, ${phone.count('login')}`)
      phone.outage = undefined
      phone.server.stayers.clear()
      // The question that is under way may take as long as four time-outs.
      await phone.clock.advance(5 * 60000)
      assert.equal((await asked(phone)).data.ok, true)
      assert.equal(await phone.run(phone.move.side()), 'yaopai')
      isSilent(phone)
    })
  }

  test(`${outage}, at the first start of the version with both codes: the old code works as it did`, async () => {
    let phone = legacyPhone(breakable())
    phone.outage = outage
    const all = Promise.all(Array.from({ length: 30 }, (_, i) => asking(phone, old(`/mine/${i}`, { method: i % 2 ? 'POST' : 'GET' }))))
    const before = phone.clock.time
    assert.ok((await phone.run(all)).every(({ data }) => data.side === 'legacy'))
    assert.ok(phone.clock.time - before <= PATIENCE + AT_ONCE, `${phone.clock.time - before} ms`)
    assert.equal(phone.server.log.length, 30)
    phone.server.log.forEach(isAsGiven)
    assert.equal(await phone.run(phone.move.side()), 'legacy')
    for (let i = 0; i < 3; i++) {
      assert.ok((await timed(phone)).took <= AT_ONCE)
      phone = restarted(phone)
    }
    assert.ok((await timed(phone)).took <= AT_ONCE)
    // Over: asked within a minute, and wherever the answer says.
    phone.outage = undefined
    await phone.clock.advance(5 * 60000)
    assert.equal((await asked(phone)).data.side, 'legacy')
    const asks = logins(phone)
    await phone.clock.advance(HOUR / 2)
    assert.equal((await asked(phone)).data.side, 'legacy')
    assert.equal(logins(phone), asks)
    phone.server.stayers.clear()
    await phone.clock.advance(HOUR)
    assert.equal((await asked(phone)).data.ok, true)
    isSilent(phone)
  })
}

test('side() at the first start in an outage: legacy, so that the old code logs in', async () => {
  const phone = legacyPhone(breakable())
  phone.outage = 'time-out'
  const before = phone.clock.time
  assert.equal(await phone.run(phone.move.side()), 'legacy')
  assert.ok(phone.clock.time - before <= PATIENCE)
})

test('an answer that comes late: those who have waited went on as of old, once each; what is sent after it is here', async () => {
  for (const keyed of [true, false]) {
    const phone = installed(new Phone({ keyed }), keyed ? {} : { keyed: 'off' })
    phone.server.legacy = () => ({ status: 200, body: { side: 'legacy' } })
    phone.fault('/session', 'slow', { ms: 25000 })
    phone.fault('/slow', 'slow', { ms: 40000 })
    const slow = asking(phone, old('/slow', { method: 'POST', data: { n: 1 } }))
    assert.equal((await phone.request(old('/mine'))).data.side, 'legacy')
    await phone.clock.advance(30000)
    assert.equal((await phone.request(old('/mine'))).data.ok, true)
    // What was under way meanwhile is answered where it was sent.
    assert.equal((await phone.run(slow)).data.side, 'legacy')
    assert.deepEqual([phone.server.count('/slow'), logins(phone), phone.count('login')], [1, 1, 1])
    assert.equal(await phone.run(phone.move.side()), 'yaopai')
    assert.deepEqual(phone.told, ['yaopai'])
  }
})

test('what is under way when the person moves is answered where it was sent, and nothing is sent twice', async () => {
  const phone = legacyPhone()
  await phone.request(old())
  phone.server.stayers.clear()
  await phone.clock.advance(HOUR)
  const sent = []
  for (let i = 0; i < 40; i++) {
    phone.fault(`/orders/${i}`, 'slow', { ms: (i * 37) % 300 })
    sent.push(asking(phone, old(`/orders/${i}`, { method: 'POST', data: { i } })))
    await phone.clock.advance(7)
  }
  const all = await phone.run(Promise.all(sent))
  const sides = all.map(({ data }) => (data.ok ? 'yaopai' : data.side))
  const first = sides.indexOf('yaopai')
  assert.ok(first > 0 && sides.slice(first).every(side => side === 'yaopai'), sides.join())
  for (let i = 0; i < 40; i++) assert.equal(phone.server.count(`/orders/${i}`), 1)
  assert.equal(logins(phone), 2)
})

test('the session can’t be stored for half a minute: nobody waits for that either', async () => {
  const phone = legacyPhone({ wx: (wx, self) => {
    const { setStorage } = wx
    wx.setStorage = o => (self.isStuck && o.key === 'yaopai' ? undefined : setStorage(o))
  } })
  await phone.request(old())
  phone.server.stayers.clear()
  phone.isStuck = true
  await phone.clock.advance(HOUR)
  await phone.request(old())
  await phone.clock.advance(1000)
  assert.equal(logins(phone), 2)
  const { answer, took } = await timed(phone)
  assert.deepEqual([answer.data.side, took <= AT_ONCE], ['legacy', true])
  await phone.clock.advance(30000)
  assert.equal((await phone.request(old())).data.ok, true)
})

test('who is on our side stays there in an outage, also after a restart without a session: a login that fails has failed', async () => {
  let phone = installed(new Phone(breakable()))
  phone.server.legacy = () => ({ status: 200, body: { side: 'legacy' } })
  await phone.request(old())
  for (const s of phone.server.sessions.values()) s.ended = 'session_expired'
  phone.outage = 'a proxy’s 502'
  // As long as the gateway answers at all, it refuses; the session is over.
  assert.equal((await phone.request(old())).statusCode, 401)
  for (let i = 0; i < 2; i++) {
    await phone.clock.advance(60000)
    await assert.rejects(phone.request(old()), { code: 'network' })
    phone = restarted(phone)
  }
  assert.equal(phone.passed.length, 0)
  phone.outage = undefined
  assert.equal((await phone.request(old())).data.ok, true)
})

test('a refresh in an outage holds nobody up for longer than 10 s, and then nobody', async () => {
  for (const outage of ['time-out', 'connection refused', 'unavailable']) {
    const phone = installed(new Phone(breakable()))
    await phone.request(old())
    await phone.clock.advance(20 * 60000)
    phone.outage = outage
    const start = phone.clock.time
    while (phone.clock.time - start < 4 * 60000) {
      const { answer, took } = await timed(phone)
      assert.equal(answer.data.ok, true)
      assert.ok(took <= PATIENCE + AT_ONCE, `${took} ms`)
      // One refresh by four time-outs takes four minutes.
      if (outage === 'time-out' && phone.clock.time - start > PATIENCE + AT_ONCE) assert.ok(took <= AT_ONCE, `${took} ms, later`)
      await phone.clock.advance(5000)
    }
  }
})

test('logged out on the side of old: that is the old code’s, and its requests go on', async () => {
  const phone = legacyPhone()
  await phone.request(old())
  await phone.run(phone.client.logout())
  for (let i = 0; i < 3; i++) {
    assert.equal((await phone.request(old())).data.side, 'legacy')
    await phone.clock.advance(HOUR)
  }
  phone.server.stayers.clear()
  await phone.run(phone.client.login())
  assert.equal((await phone.request(old())).data.ok, true)
})
