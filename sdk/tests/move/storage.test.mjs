// What is stored about the side: writes that overtake one another, that fail, that hang.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asked, legacyPhone, logins, old, restarted } from './phone.mjs'

const HOUR = 3600 * 1000
const KEY = 'yaopai.move'
const stored = phone => JSON.parse(phone.storage.get(KEY)?.data ?? 'null')

/** A phone whose writes take as long as `phone.takes` says, one after the other, and fail where that is `Infinity`. */
const slow = () => legacyPhone({ wx: (wx, phone) => {
  const { setStorage } = wx
  phone.takes = []
  wx.setStorage = o => {
    const ms = o.key === KEY ? phone.takes.shift() : 0
    if (ms === Infinity) return phone.clock.setTimeout(() => o.fail({ errMsg: 'setStorage:fail exceed max size' }), 0)
    phone.clock.setTimeout(() => phone.isGone || setStorage(o), ms)
  }
} })

test('a write that takes its time is not overtaken: the last word is the one that is kept', async () => {
  const phone = slow()
  await phone.request(old())
  phone.server.stayers.clear()
  await phone.clock.advance(HOUR)
  // An outage first, and the answer right after it.
  phone.takes = [29000, 0]
  for (let i = 0; i < 4; i++) phone.fault('/session', 'unsent')
  await phone.request(old())
  await phone.clock.advance(8000)
  phone.skew += 61000
  await asked(phone)
  await phone.clock.advance(60000)
  assert.equal(phone.client.session?.bound, false)
  assert.equal(stored(phone).ms, 0)
})

test('a write that fails leaves nothing that was true before', async () => {
  const phone = slow()
  await phone.request(old())
  assert.equal(stored(phone).ms, HOUR)
  phone.server.stayers.clear()
  await phone.clock.advance(HOUR)
  phone.takes = [Infinity]
  assert.equal((await asked(phone)).data.ok, true)
  await phone.clock.advance(1000)
  assert.equal(stored(phone), null)
  // Nor does the other way round.
  phone.server.stayers.add('xiaoming')
  for (const s of phone.server.sessions.values()) s.ended = 'session_ended'
  await asked(phone)
  assert.equal(stored(phone).ms, HOUR)
})

test('a storage that answers nothing: who has once been asked is not asked again in this run', async () => {
  const phone = legacyPhone({ wx: (wx, self) => { wx.setStorage = () => undefined } })
  await phone.request(old())
  for (let i = 0; i < 3; i++) {
    assert.equal((await phone.request(old())).data.side, 'legacy')
    await phone.clock.advance(60000)
  }
  assert.equal(logins(phone), 1)
})

test('the session is gone from the storage, and that the person is here is not: a login, as ever', async () => {
  let phone = legacyPhone()
  phone.server.stayers.clear()
  assert.equal((await phone.request(old())).data.ok, true)
  phone.storage.delete('yaopai')
  phone = restarted(phone)
  assert.equal((await phone.request(old())).data.ok, true)
  assert.equal(phone.passed.length, 0)
})
