import assert from 'node:assert/strict'

/** One customer with a phone: puts things into the cart, looks at it, and knows at each moment what must be in it. */
export class Customer {
  #client
  #name
  #items = []
  #user = null
  #random
  #bought = 0

  constructor(client, name, random) {
    this.#client = client
    this.#name = name
    this.#random = random
  }

  /** A life of about so many requests to the back end. */
  async live(requests) {
    await this.#client.login()
    await this.#comeInAtOnce()
    await this.#client.bind(this.#name, 'tea')
    this.#user = this.#name
    for (let left = requests; left > 0;) left -= await this.#step()
    await this.#comeBack()
  }

  /** The first requests of all, at the same time: the back end opens one session for them and not one each. */
  async #comeInAtOnce() {
    await Promise.all([this.#buy(), this.#client.request('GET', '/cart'), this.#client.request('GET', '/cart')])
    await this.#look()
  }

  /** Does something by chance; answers how many requests that were. */
  async #step() {
    const chance = this.#random()
    if (chance < 0.4) return this.#buy()
    if (chance < 0.7) return this.#lookOften()
    if (chance < 0.8) return this.#account()
    if (chance < 0.9) return this.#renew()
    await (chance < 0.95 ? this.#client.refresh() : this.#client.stepUp())
    return this.#account()
  }

  async #buy() {
    const item = `${this.#name}-${this.#bought++}`
    this.#items.push(item)
    this.#holds(await this.#client.request('POST', `/cart/${item}`))
    return 1
  }

  async #look() {
    this.#holds(await this.#client.request('GET', '/cart'))
    return 1
  }

  async #lookOften() {
    await Promise.all([this.#look(), this.#look(), this.#look()])
    return 3
  }

  async #account() {
    const { status, body } = await this.#client.request('GET', '/account')
    assert.deepEqual([status, body], [200, { user: this.#name }])
    return 1
  }

  /** The back end gives its session another id. */
  async #renew() {
    this.#holds(await this.#client.request('POST', '/renew'))
    return 1
  }

  /** A second login, as after the app was installed anew: known to the back end at once. */
  async #comeBack() {
    await this.#client.login()
    await this.#account()
    await this.#client.logout()
  }

  #holds({ status, body }) {
    assert.deepEqual([status, body], [200, { items: this.#items, user: this.#user }])
  }
}
