import { randomBytes } from 'node:crypto'

const IDLE = 30 * 60 * 1000
const SESSIONS_MAX = 10_000

/** Sessions as servlet containers and express-session keep them: an id in a cookie, the rest in memory, 30 minutes unused. */
export class Sessions {
  #all = new Map()
  #now

  constructor(now = Date.now) {
    this.#now = now
  }

  /** The request's session, or a new one, whose cookie is set with the answer. */
  of(request, response) {
    const id = /(?:^|;\s*)JSESSIONID=(\w+)/.exec(request.headers.cookie ?? '')?.[1]
    const known = this.#all.get(id)
    if (known && this.#now() - known.used < IDLE) {
      known.used = this.#now()
      return known
    }
    return this.open(response)
  }

  open(response) {
    if (this.#all.size >= SESSIONS_MAX) this.#all.delete(this.#all.keys().next().value)
    const id = randomBytes(16).toString('hex').toUpperCase()
    const session = { cart: [], used: this.#now() }
    this.#all.set(id, session)
    response.setHeader('Set-Cookie', `JSESSIONID=${id}; Path=/; HttpOnly`)
    return session
  }
}
