import { domainMatches } from './domain'
import { pathMatches, type Place } from './url'

export interface Cookie {
  name: string
  value: string
  domain: string
  path: string
  /** Nothing for a session cookie. */
  expires?: number
  secure: boolean
  httpOnly: boolean
  hostOnly: boolean
  /** Counts up: the order in which cookies came, which a clock of milliseconds doesn't tell. */
  created: number
  /** Counts up with every use. */
  used: number
}

export interface Limits {
  maxCookies: number
  maxPerHost: number
}

/** The cookies, and the rules of RFC 6265 that concern several of them: §5.3 from step 11 on, and §5.4. */
export class Store {
  private _cookies: Cookie[] = []
  private _count = 0

  constructor(private readonly _limits: Limits) {}

  /** Puts one in the place of its namesake, or takes the namesake away if this one has expired. */
  _put(cookie: Cookie, place: Place, now: number): boolean {
    // What has expired is gone (RFC 6265 §5.3): it hands no age on, and stands in nobody's way.
    this._cookies = this._cookies.filter(other => !isExpired(other, now))
    const old = this._cookies.filter(other => sameCookie(other, cookie))[0]
    // Whoever can write into http must not replace what https has set (RFC 6265bis §5.7, "leave secure cookies alone").
    if (!place.secure && this._cookies.some(other => shadows(cookie, other))) return false
    this._cookies = this._cookies.filter(other => other !== old)
    if (!isExpired(cookie, now)) {
      const created = old ? old.created : ++this._count
      this._cookies.push(Object.assign({}, cookie, { created, used: ++this._count }))
      this._evict(cookie.domain)
    }
    return true
  }

  /** Those that go with a request, in the order in which they go. */
  _match(place: Place, now: number): Cookie[] {
    const matching = this._cookies.filter(cookie =>
      (cookie.hostOnly ? cookie.domain === place.host : domainMatches(place.host, cookie.domain)) &&
      pathMatches(place.path, cookie.path) &&
      (place.secure || !cookie.secure) &&
      !isExpired(cookie, now))
    const use = ++this._count
    for (const cookie of matching) cookie.used = use
    return matching.sort((a, b) => b.path.length - a.path.length || a.created - b.created)
  }

  _clear(): void {
    this._cookies = []
  }

  /** Those worth writing down, the oldest first. */
  _all(sessions: boolean, now: number): Cookie[] {
    return this._cookies
      .filter(cookie => !isExpired(cookie, now) && (sessions || cookie.expires !== undefined))
      .sort((a, b) => a.created - b.created)
  }

  /** Puts what was written down below what has come since. */
  _restore(saved: Cookie[], now: number): void {
    const younger = this._cookies.slice().sort((a, b) => a.created - b.created)
    this._cookies = saved.filter(cookie => !isExpired(cookie, now) && !younger.some(other => sameCookie(other, cookie)))
    this._count = this._cookies.reduce((most, cookie) => Math.max(most, cookie.created, cookie.used), 0)
    for (const cookie of younger) this._cookies.push(Object.assign({}, cookie, { created: ++this._count, used: this._count }))
    this._evict()
  }

  /** RFC 6265 §5.3: a host's surplus, then the surplus of all; each time the longest unused. What has expired is gone by then. */
  private _evict(domain?: string): void {
    const domains = domain === undefined ? this._cookies.map(cookie => cookie.domain) : [domain]
    for (const each of domains) this._drop(cookie => cookie.domain === each, this._limits.maxPerHost)
    this._drop(() => true, this._limits.maxCookies)
  }

  private _drop(counts: (cookie: Cookie) => boolean, most: number): void {
    const counted = this._cookies.filter(counts).sort((a, b) => a.used - b.used)
    const surplus = counted.slice(0, Math.max(counted.length - most, 0))
    if (surplus.length) this._cookies = this._cookies.filter(cookie => surplus.indexOf(cookie) < 0)
  }
}

function sameCookie(a: Cookie, b: Cookie): boolean {
  return a.name === b.name && a.domain === b.domain && a.path === b.path
}

function shadows(cookie: Cookie, secure: Cookie): boolean {
  return secure.secure && secure.name === cookie.name && pathMatches(cookie.path, secure.path) &&
    (domainMatches(cookie.domain, secure.domain) || domainMatches(secure.domain, cookie.domain))
}

function isExpired(cookie: Cookie, now: number): boolean {
  return cookie.expires !== undefined && cookie.expires <= now
}
