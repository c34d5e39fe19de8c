import type { CookieJar, KeySource, Options, Session } from '../types'
import { errorOf, type YaopaiError } from '../error'
import type { Native } from '../platform/native'
import { unbase64 } from '../sign/bytes'
import { field } from '../request/headers'
import type { Answer } from '../request/carry'

/** How the requests of a session are signed: not at all, with a key from the login, with WeChat's. */
export type Mode = 0 | 1 | 2

/** What stands in the storage: one value, written whole, so that token, key and ids never part. */
export interface State {
  /** For which server, app and mode. Another's is not shown here. */
  of: string
  token: string
  key?: string
  /** The phone's clock when the answer came, and how many seconds after it to refresh. */
  at: number
  refresh: number
  /** The server's clock less the phone's, in milliseconds. */
  skew: number
  session: Session
  /** The request_ids of the next refresh and the next bind. */
  ids: [string, string]
  /** Bearer: what was sent to change the token and isn't answered. For a step-up its request_id and code. */
  note?: 'refresh' | 'bind' | { id: string; code: string }
}

export interface Engine {
  _options: Options
  _native: Native
  _zh: boolean
  /** The server's URL, without a slash at its end. */
  _base: string
  /** Origins that carry the session. */
  _hosts: Record<string, boolean>
  _envVersion: string
  _mode: Mode
  _jar?: CookieJar
  /** Storage read, random bytes there. */
  _ready: Promise<unknown>
  _random: () => string
  _state?: State
  _skew: number
  /** Why nobody is logged in until `login()`. */
  _ended?: YaopaiError
  _opening?: Promise<State>
  _refreshing?: Promise<unknown>
  _rereading?: Promise<unknown>
  _steppingUp?: Promise<State>
  /** The last change of the token; the next one waits for it. */
  _changing: Promise<unknown>
  _writing: Promise<unknown>
  /** When codes were asked of the platform. */
  _codes: number[]
  /** No login by itself before this (phone's clock), because of this. */
  _pause: number
  _failures: number
  _failed?: YaopaiError
  _platformKey?: { version: number; expires: number; derive: Awaited<ReturnType<KeySource['latest']>>['derive'] }
  _bind: { from?: string; depth: number; redirected?: boolean; since: number; going?: boolean }
  _told: Record<string, boolean>
  _listeners: Array<[string, (what?: { code: string; message: string }) => void]>
}

/** What a login, a refresh and a bind answer with. */
export interface LoginObject {
  token?: string
  key?: { alg?: string; secret?: string }
  session_id: string
  refresh_in: number
  bound: boolean
  user?: string
  claims?: Record<string, unknown>
  vouched_at: string
  server_time: string
}

export const now = (e: Engine): number => Date.now() + e._skew

export function emit(e: Engine, event: string, what?: { code: string; message: string }): void {
  // Later, so that what a listener throws is its own.
  e._listeners.forEach(([of, listener]) => of === event && Promise.resolve(what).then(listener))
}

/** The refusal in an answer as an error. */
export function refused(e: Engine, answer: Answer): YaopaiError {
  const { _code: code, _status: status } = answer
  const data = answer._raw.data || {}
  const retry = field(answer._header, 'retry-after')
  return errorOf(e._zh, code || (status < 300 ? 'malformed_answer' : 'network'), status, data.message, retry ? +retry : undefined)
}

/** Keeps what an answer says. `before` is the session that it is about; without it, the answer is a login's. */
export function keep(e: Engine, answer: Answer, before?: State): Promise<State> {
  const a = answer._raw.data as LoginObject
  const given = (a && a.key) || {}
  if (before && (!e._state || e._state.token !== before.token)) return Promise.resolve(e._state || before)
  const ids = before && a && !a.token ? before.ids : ([e._random(), e._random()] as [string, string])
  if (!a || !a.session_id || !(before || a.token)) return Promise.reject(refused(e, answer))
  // Another kind of key than was asked for: something on the way may want us to sign with less.
  if (
    !before &&
    (e._mode
      ? given.alg !== 'hmac-sha256' || unbase64(given.secret || '').length !== (e._mode < 2 ? 32 : 0)
      : a.key)
  ) {
    return Promise.reject(errorOf(e._zh, 'key_refused', answer._status))
  }
  e._skew = Date.parse(a.server_time) - Date.now() || 0
  const state: State = {
    of: identity(e),
    // A key's token never changes, and nothing but a login brings a key.
    token: before && (e._mode || !a.token) ? before.token : a.token!,
    key: before ? before.key : given.secret,
    at: a.token || !before ? Date.now() : before.at,
    refresh: a.refresh_in,
    skew: e._skew,
    session: {
      id: a.session_id,
      bound: a.bound,
      user: a.user,
      claims: a.claims,
      vouchedAt: Date.parse(a.vouched_at),
    },
    ids,
    note: before && !a.token ? before.note : undefined,
  }
  const changed = !before || JSON.stringify(before.session) !== JSON.stringify(state.session)
  e._state = state
  if (changed) {
    e._told = {}
    emit(e, 'change')
  }
  // Stored before its first use, for which everybody waits: the first use of a bearer token retires the one before it.
  return store(e, state).then(() => state)
}

export const identity = (e: Engine): string => e._options.app + ' ' + e._base + ' ' + e._mode

const keyOf = (e: Engine): string => e._options.storageKey || 'yaopai'

/** Encrypted where the platform can; older base libraries and other platforms ignore the wish. */
export function store(e: Engine, state?: State): Promise<unknown> {
  const where = { key: keyOf(e), encrypt: true }
  const forget = (): Promise<unknown> => e._native._ask('removeStorage', where).catch(() => 0)
  return (e._writing = e._writing.then(() =>
    state
      ? // What can't be written is kept in memory only; an older token must not come back from the storage.
        e._native._ask('setStorage', Object.assign({ data: JSON.stringify(state) }, where)).catch(forget)
      : forget(),
  ))
}

export async function load(e: Engine): Promise<void> {
  try {
    const state = JSON.parse((await e._native._ask('getStorage', { key: keyOf(e), encrypt: true })).data)
    if (state.of === identity(e)) {
      e._state = state
      e._skew = state.skew
    }
  } catch (_) {}
}

/** Forgets a session, if it is still the one at hand. */
export function drop(e: Engine, state: State | undefined): void {
  if (state && e._state && e._state.token === state.token) {
    e._state = undefined
    e._told = {}
    store(e)
    emit(e, 'change')
  }
}
