import { scopeOf } from './domain'
import { mergeCookies } from './merge'
import { parseSetCookie } from './parse'
import { read, write } from './saved'
import { setCookieLines, type Response } from './split'
import { Store, type Cookie } from './store'
import { defaultPath, placeOf, type Place } from './url'

export interface Options {
  /** Under which the jar stands in the storage. Default `yaopai.cookies`. */
  storageKey?: string
  /** Default 300. */
  maxCookies?: number
  /** Of one domain; default 50. */
  maxPerHost?: number
  /** Of one cookie, name and value in UTF-8; a longer one is dropped. Default 4096. */
  maxBytes?: number
  /** Whether cookies without an end outlive a restart. Default no, as in a browser. */
  keepSession?: boolean
}

/** Where a jar is kept. Both may answer later, and may fail: then the jar lives in memory. */
export interface JarStorage {
  read(key: string): string | undefined | Promise<string | undefined>
  write(key: string, value: string): void | Promise<void>
}

export interface CookieJar {
  /** The Cookie header for a request at `now` (milliseconds), with the caller's own `given` merged in. */
  header(url: string, now: number, given?: string): string | undefined
  /** Keeps what a response sets. */
  take(url: string, response: Response, now: number): void
  clear(): void
  /** Loads what was saved, and saves from now on. What came before it was loaded goes before it. Never rejects. */
  open(storage: JarStorage, now: number): Promise<void>
}

export function cookieJar(options: Options = {}): CookieJar {
  const key = options.storageKey || 'yaopai.cookies'
  const maxBytes = options.maxBytes || 4096
  const store = new Store({ maxCookies: options.maxCookies || 300, maxPerHost: options.maxPerHost || 50 })
  let storage: JarStorage | undefined
  let cleared = 0
  let writing = false
  let behind = false

  function save(now: number): void {
    if (!storage) return
    // One write at a time: two in flight may arrive in the other order.
    if (writing) {
      behind = true
      return
    }
    writing = true
    const done = (): void => {
      writing = false
      if (behind) {
        behind = false
        save(now)
      }
    }
    const to = storage
    new Promise<void>(written => written(to.write(key, write(store._all(!!options.keepSession, now))))).then(done, done)
  }

  return {
    header(url, now, given) {
      const place = placeOf(url)
      const ours = place ? store._match(place, now).map(cookie => cookie.name + '=' + cookie.value).join('; ') : ''
      return mergeCookies(given, ours)
    },

    take(url, response, now) {
      const place = placeOf(url)
      if (!place) return
      let changed = false
      for (const line of setCookieLines(response)) {
        const cookie = judge(line, place, now, maxBytes)
        if (cookie && store._put(cookie, place, now)) changed = true
      }
      if (changed) save(now)
    },

    clear() {
      cleared++
      store._clear()
      save(0)
    },

    open(to, now) {
      const before = cleared
      const begin = (saved: string | undefined): void => {
        // Cleared in the meantime: what was saved is what the person wanted gone.
        if (before === cleared) store._restore(read(saved), now)
        storage = to
        save(now)
      }
      // Unreadable is empty.
      return new Promise<string | undefined>(done => done(to.read(key))).then(begin, () => begin(undefined))
    },
  }
}

/** Whether this host may set this cookie, and what it becomes: RFC 6265 §5.3, and the prefixes of its successor. */
function judge(line: string, place: Place, now: number, maxBytes: number): Cookie | undefined {
  const set = parseSetCookie(line, now)
  if (!set || bytes(set.name + set.value) > maxBytes) return undefined
  const scope = scopeOf(place.host, set.domain)
  if (!scope || (set.secure && !place.secure)) return undefined
  if (/^__(secure|host)-/i.test(set.name) && !set.secure) return undefined
  if (/^__host-/i.test(set.name) && (set.domain || set.path !== '/')) return undefined
  return Object.assign({}, set, scope, { path: set.path || defaultPath(place.path), created: 0, used: 0 })
}

/** The length in UTF-8: there is no TextEncoder on a phone. */
function bytes(text: string): number {
  let sum = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // Half of a pair of surrogates is half of four bytes.
    sum += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3
  }
  return sum
}
