import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'

// Longer than anything takes on a busy machine, in milliseconds: at a load of 16 on two cores a request of 120 phones took 43 s.
const PATIENCE = 180_000
const COURSES = [1, 2, 3]

/**
 * A member of the club with a phone, who looks, chooses and books without a pause, and knows at each moment whose name must be shown
 * and what must be in the cart.
 */
export class Person {
  #phone
  #program
  #random
  #cart = new Set()
  #booked = []
  #isBound
  /** How many things this person has done. */
  steps = 0

  /** `member`: `{ account, password, name }`. `isBound`: from the start; else the person binds when it is first asked for. */
  constructor({ member, phone, program, random, isBound }) {
    Object.assign(this, { member })
    phone.isBound = () => this.#isBound
    this.#phone = phone
    this.#program = program
    this.#random = random
    this.#isBound = isBound
  }

  /** One thing that a person does, with what must be seen after it. */
  async step() {
    // Of the pages that are open before the first log-in, the old code shows one.
    const chance = this.steps === 0 ? 1 : this.#random()
    if (chance < 0.45) await this.#add()
    else if (chance < 0.6) await this.#book()
    else if (chance < 0.75) await Promise.all([this.#look(), this.#look(), this.#look()])
    else if (chance < 0.8) this.#program.tick()
    await this.#look()
    this.steps++
  }

  /** Where the phone's requests go now; nothing is asked for it. */
  get side() {
    return this.#program.yaopai?.client().session ? 'yaopai' : 'legacy'
  }

  /** The phone sleeps so long: nobody notices but by its clock. */
  sleep(ms) {
    this.#phone.skew += ms
  }

  async #look() {
    for (;;) {
      const seen = await this.#until(shown => this.#program.open('mine', shown).onShow())
      // Cut under way by the end of its session: as `upstream_failed` says, it is looked at once more.
      if (seen.name === undefined) continue
      assert.equal(seen.name, this.#isBound ? this.member.name : '')
      assert.deepEqual(ids(seen.cart), [...this.#cart], `${this.member.name}’s cart`)
      assert.deepEqual(ids(seen.booked), this.#isBound ? this.#booked : [], `what ${this.member.name} has booked`)
      return
    }
  }

  async #add() {
    const course = COURSES[Math.floor(this.#random() * COURSES.length)]
    await this.#acted('/cart', () => this.#until(done => {
      this.#phone.onShown = ({ toast }) => toast && done({})
      this.#program.open('courses').add({ currentTarget: { dataset: { course } } })
    }))
    this.#cart.add(course)
  }

  async #book() {
    const asked = await this.#acted('/bookings', () => this.#until(done => {
      this.#phone.onShown = ({ page }) => page === '/pages/bind/bind' && done({ isAsked: true })
      this.#program.open('mine', done).book()
    }))
    if (asked.isAsked) return this.#bind()
    this.#booked.push(...this.#cart)
    this.#cart.clear()
  }

  async #bind() {
    assert.equal(this.#isBound, false, `${this.member.name} is bound, and was sent to the bind page`)
    const { account, password } = this.member
    // Who types a password takes seconds: a log-in of old that was under way is over by then. Its session would be a guest's.
    while (this.#phone.underWay > 0) await wait(5)
    const { toast } = await this.#acted('/bind', () => this.#until(done => {
      this.#phone.onShown = ({ page, toast }) => (page === 'back' || toast) && done({ toast })
      this.#program.open('bind').submit({ detail: { value: { account, password } } })
    }))
    assert.equal(toast, undefined)
    this.#isBound = true
  }

  /**
   * Does it, again if it was cut under way, or the phone slept twice while it was: the old code takes either for done. All that is done
   * here may be done twice.
   */
  async #acted(path, act) {
    for (;;) {
      const outcome = await act()
      if (!/^(upstream_failed|proof_stale)$/.test(this.#phone.last[path].code)) return outcome
    }
  }

  #until(act) {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`${this.member.name} waits for an answer, ${this.#phone.waits()}:\n${JSON.stringify(this.#phone.last)}`)), PATIENCE)
      act(outcome => { clearTimeout(timer); done(outcome) })
    })
  }
}

const ids = courses => courses.map(({ id }) => id)
