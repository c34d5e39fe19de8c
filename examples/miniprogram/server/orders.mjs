/** What there is to buy, and what it costs in fen. */
export const PRICES = { tea: 6800, rice: 4200, ink: 12800 }

const ORDERS_MAX = 1000

/** Orders, in memory: they are gone when the shop stops. */
export class Orders {
  #all = []

  of(user) {
    return this.#all.filter(order => order.user === user)
  }

  /** False if there is no room for another. */
  add(user, item) {
    if (this.#all.length >= ORDERS_MAX) return false
    this.#all.push({ user, item, paid: false })
    return true
  }

  /** Pays for all that is open; says for how many. */
  pay(user) {
    const open = this.of(user).filter(order => !order.paid)
    for (const order of open) order.paid = true
    return open.length
  }
}
