import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startClub } from '../../examples/old-miniprogram/server/run.mjs'
import { seeded } from '../back-ends/random.mjs'
import { Ledger } from './ledger.mjs'
import { Members } from './members.mjs'
import { Person } from './person.mjs'
import { Program } from './program.mjs'
import { phoneOf } from './wx.mjs'

const program = state => fileURLToPath(new URL(`../../examples/old-miniprogram/${state}`, import.meta.url))
const SETTLES_WITHIN = 300_000
// Whoever was told by nobody, on a busy machine, asks again after a minute of the phone's clock. So often that minute is over:
const MINUTE_EVERY = 15_000
const HALF_AN_HOUR = 30 * 60 * 1000
// The phone's clock: past each refresh (20 min) and past `move_ask_again` (an hour).
const NAP = 61 * 60 * 1000

/** A club that is moving, and its members: as many with the old mini program as with the new one. */
export class Fleet {
  ledger = new Ledger()
  people = []
  #club
  #clock = { ahead: 0 }
  #openids = new Map()
  #stopped = false
  #failure

  /** `clients` of each kind. */
  static async start({ clients, seed }) {
    const fleet = new Fleet()
    const members = ['old', 'new'].flatMap((kind, k) => Array.from({ length: clients }, (_, n) => (
      { id: 1001 + k * clients + n, account: `${kind}-${n}`, password: `tea-${n}`, name: `${kind} member ${n}`, kind })))
    const table = new Members(members)
    fleet.#club = await startClub('during', {
      people: members,
      members: table,
      known: null,
      carts: new Map(),
      now: () => Date.now() + fleet.#clock.ahead,
      // The club and a thousand phones share one process here, and it takes connections when it has the time.
      backlog: 4096,
      // All of them come from this one machine.
      config: { '[limits]': { logins_per_network: 0, logins_per_identity: 0 } },
    })
    try {
      for (const [n, member] of members.entries()) {
        const openid = await fleet.#club.sim.openid(member.account)
        fleet.#openids.set(member.account, openid)
        // One in four binds on the way, on whatever side that is then.
        const isBound = n % 4 !== 0
        member.openid = isBound ? openid : null
        member.isKnown = isBound
        const phone = phoneOf({ server: fleet.#club.url, code: () => fleet.#club.sim.code(member.account) })
        const start = () => new Program(program(member.kind === 'old' ? 'before' : 'during'), phone)
        fleet.people.push({ member, phone, start, isBound, random: seeded(seed + n) })
      }
      return fleet
    } catch (error) {
      await fleet.stop()
      throw error
    }
  }

  /** Everybody opens the mini program and goes on without a pause until `stop`. */
  run() {
    this.people = this.people.map(({ member, phone, start, isBound, random }) => {
      this.ledger.watch({ member }, phone)
      return new Person({ member, phone, program: start(), random, isBound })
    })
    this.#running = Promise.all(this.people.map(async person => {
      while (!this.#stopped && !this.#failure) await person.step()
    })).catch(error => { this.#failure ??= error })
  }

  #running = Promise.resolve()

  move(method, state) {
    return this.#club.admin.call(method, 'apps/club/move', state)
  }

  openidOf(account) {
    return this.#openids.get(account)
  }

  /** What the server says where somebody is. */
  async sideOf({ member }) {
    const query = new URLSearchParams({ openid: this.openidOf(member.account) })
    return this.#club.admin.call('GET', `apps/club/move/side?${query}`)
  }

  /** The new clients; the old ones never hear of a move. */
  get moving() {
    return this.people.filter(({ member }) => member.kind === 'new')
  }

  /** Time goes on: phones ask again or refresh, and the club forgets every session of old. */
  pass({ isClubForgetful = false } = {}) {
    this.moving.forEach(person => person.sleep(NAP))
    if (isClubForgetful) this.#clock.ahead += HALF_AN_HOUR + 60_000
  }

  /** Waits until each new client is where the server says, and everybody has done `steps` more things. Answers who is on which side. */
  async settle(steps) {
    const said = new Map()
    for (const person of this.moving) said.set(person, await this.sideOf(person))
    const goals = this.people.map(person => person.steps + steps)
    const isThere = () => this.moving.every(person => person.side === said.get(person).side)
      && this.people.every((person, n) => person.steps >= goals[n])
    let minuteAt = Date.now() + MINUTE_EVERY
    for (const until = Date.now() + SETTLES_WITHIN; !isThere(); await wait(50)) {
      if (this.#failure) throw new Error(`${this.#failure.stack}\nso far: ${JSON.stringify(this.ledger.wrong)}`)
      if (Date.now() > minuteAt) {
        minuteAt += MINUTE_EVERY
        this.moving.filter(person => person.side !== said.get(person).side).forEach(person => person.sleep(61_000))
      }
      if (Date.now() < until) continue
      const behind = this.moving.filter(person => person.side !== said.get(person).side)
      throw new Error(`${behind.length} are not where the server says, ${behind[0]?.member.name} for one; ${JSON.stringify(this.ledger.wrong)}`)
    }
    const here = this.moving.filter(person => person.side === 'yaopai')
    return { here, why: [...said.values()].map(({ why }) => why) }
  }

  async stop() {
    this.#stopped = true
    await this.#running
    await this.#club?.stop()
    if (this.#failure) throw this.#failure
  }
}
