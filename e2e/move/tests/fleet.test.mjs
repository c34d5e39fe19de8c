import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Fleet } from '../fleet.mjs'
import { closeConnections } from '../wx.mjs'

const CLIENTS = Number(process.env.YAOPAI_MOVE_CLIENTS ?? 60)
const STEPS = Number(process.env.YAOPAI_MOVE_STEPS ?? 3)
const SEED = Number(process.env.YAOPAI_MOVE_SEED ?? Date.now() % 1_000_000)

after(closeConnections)

test(`${CLIENTS} old and ${CLIENTS} new clients, while the share goes 0 → 50 → 100 → 0: nobody is logged out`, async t => {
  t.diagnostic(`YAOPAI_MOVE_SEED=${SEED}`)
  const fleet = await Fleet.start({ clients: CLIENTS, seed: SEED })
  let isStopped = false
  t.after(() => isStopped || fleet.stop())
  const state = { share: 0, openids: [], users: [], back: false }
  const names = people => new Set(people.map(({ member }) => member.account))

  /** Changes the move's state, and waits until everybody is where that says. */
  const step = async (name, changes, { isEnd, isClubForgetful } = {}) => {
    if (isEnd) await fleet.move('DELETE')
    else await fleet.move('PUT', Object.assign(state, changes))
    fleet.pass({ isClubForgetful })
    const { here, why } = await fleet.settle(STEPS)
    t.diagnostic(`${name}: ${here.length} of ${CLIENTS} new clients with Yaopai, ${CLIENTS - here.length} as of old; ${CLIENTS} old ones as of old`)
    assert.deepEqual(fleet.ledger.wrong, [])
    return { here: names(here), why }
  }

  await fleet.move('PUT', state)
  fleet.run()
  assert.equal((await step('share 0', {})).here.size, 0)
  const half = (await step('share 50', { share: 50 }, { isClubForgetful: true })).here
  assert.ok(half.size > CLIENTS / 5 && half.size < CLIENTS * 4 / 5, `${half.size}`)
  const all = (await step('share 100', { share: 100 })).here
  assert.equal(all.size, CLIENTS)
  assert.ok(half.isSubsetOf?.(all) ?? [...half].every(one => all.has(one)), 'a growing share only adds')
  // Back at once: the sessions of old are still there, also those of who has bound since.
  assert.equal((await step('share 0 again', { share: 0 })).here.size, 0)

  const listed = fleet.moving.map(({ member }) => member).filter(({ isKnown }) => isKnown).slice(0, 6)
  const openids = listed.slice(0, 3).map(({ account }) => fleet.openidOf(account))
  const users = listed.slice(3).map(({ id }) => String(id))
  const { here, why } = await step('six by list', { openids, users })
  assert.deepEqual([...here].sort(), listed.map(({ account }) => account).sort())
  assert.equal(why.filter(one => one === 'listed').length, listed.length)

  await step('share 100', { share: 100 })
  const back = await step('back', { back: true }, { isClubForgetful: true })
  assert.deepEqual([back.here.size, new Set(back.why)], [0, new Set(['back'])])
  assert.equal((await step('not back', { back: false })).here.size, CLIENTS)
  assert.equal((await step('the move is over', {}, { isEnd: true })).here.size, CLIENTS)

  isStopped = true
  await fleet.stop()
  assert.deepEqual(fleet.ledger.wrong, [])
  for (const [kind, count] of Object.entries(fleet.ledger.counts)) t.diagnostic(`${count} answers: ${kind}`)
  assert.ok(fleet.ledger.counts['own name'] > CLIENTS * STEPS)
})
