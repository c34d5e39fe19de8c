import type { JarStorage, Options, Session } from '../types'
import { errorOf, type YaopaiError } from '../error'
import type { Native } from '../platform/native'
import { unbase64 } from '../sign/bytes'
import { merge, nothing } from '../util'
import type { ensure } from '../request/carry'
import type { start } from '../request/start'
import type { Answer } from '../request/transport'
import type { isDead } from './codes'
import type { exchange } from './login'

/** What stands in the storage: one value, written whole, so that token, key and ids never part. */
export interface State {
  /** For which app, server and mode. Another's is not shown here. */
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
  ids: string[]
  /** Bearer: what was sent to change the token and isn't answered. For a step-up its request_id and code. */
  note?: 'refresh' | 'bind' | { id: string; code: string }
}

type Listener = (what?: { code: string; message: string }) => void

export interface Engine extends Native {
  _options: Options
  _zh: boolean
  /** The server's URL, without a slash at its end. */
  _base: string
  /** Origins that carry the session. */
  _hosts: string[]
  _envVersion?: string
  /** How requests are signed: 0 not at all, 1 with a key from the login, 2 with the platform's. */
  _mode: number
  /** Under which the session is stored. */
  _key: string
  /** Storage read, random bytes there. */
  _ready?: Promise<unknown>
  /** Of the storage: the last write. */
  _writing?: Promise<unknown>
  _random?: () => string
  _state?: State
  _skew: number
  /** Why nobody is logged in until `login()`. */
  _ended?: YaopaiError
  _opening?: Promise<State>
  _refreshing?: Promise<unknown>
  _rereading?: Promise<unknown>
  /** The last change of the session; the next one waits for it. */
  _changing?: Promise<unknown>
  /** When codes were asked of the platform, the newest first. */
  _codes: number[]
  /** Logins that failed in a row, the last one's error, and until when (phone's clock) none is tried by itself. */
  _failures: number
  _failed?: YaopaiError
  _pause: number
  /** When the back end's "not logged in" led to a login last, and how often so far, up to 7. */
  _foreignAt: number
  _foreign: number
  /** How many requests were sent so far, and how many when the bind page was shown last; while it is being opened, all. */
  _sent: number
  _bindShown: number
  /** The page whose place it took. */
  _bindFrom?: string
  /** What the person was told of this session. */
  _told: Record<string, number>
  /** The last session's user, and how often the cookies were cleared. */
  _user?: string
  _cleared: number
  /** Steps in whose place `yaopai/move` puts its own. */
  _ensure: typeof ensure
  _exchange: typeof exchange
  _isDead: typeof isDead
  _start: typeof start
  _listeners: Set<[string, Listener | undefined]>
  /** Installed: gives back what was patched. */
  _back?: () => void
  /** Uninstalled: what was patched passes everything through. */
  _isGone?: boolean
}

export const now = (e: Engine): number => Date.now() + e._skew

/** Later, so that what a listener throws is its own. */
export const emit = (e: Engine, event: string, what?: { code: string; message: string }): void =>
  e._listeners.forEach(([of, listener]) => of === event && Promise.resolve(what).then(listener))

/** The refusal in an answer as an error. */
export function refused(e: Engine, { _code: code, _status: status, _raw: { data }, _retry: retry }: Answer): YaopaiError {
  return errorOf(
    e,
    code || (status < 300 ? 'malformed_answer' : 'network'),
    status,
    data && data.message,
    retry || undefined,
  )
}

/** Keeps what an answer says. `before` is the session that it is about; without it, the answer is a login's. */
export async function keep(e: Engine, answer: Answer, before?: State): Promise<State> {
  // The login object of docs/api.md.
  const a = answer._raw.data || {}
  const { token } = a
  const key = a.key || {}
  if (before ? a.session_id !== before.session.id : !a.session_id || !token) throw refused(e, answer)
  // Another kind of key than was asked for: something on the way may want us to sign with less.
  if (
    !before &&
    (e._mode ? key.alg !== 'hmac-sha256' || unbase64(key.secret || '').length !== (e._mode < 2 ? 32 : 0) : a.key)
  ) {
    throw errorOf(e, 'key_refused', answer._status)
  }
  const at = e._state
  if (before && (!at || at.token !== before.token)) return at || before
  e._skew = Date.parse(a.server_time) - Date.now() || 0
  const was = JSON.stringify(before && at!.session)
  // Without a token it is the same session, which a change that is under way holds, too.
  const state: State = Object.assign(token ? merge(before && at) : at, {
    of: identity(e),
    skew: e._skew,
    session: { id: a.session_id, bound: a.bound, user: a.user, claims: a.claims, vouchedAt: Date.parse(a.vouched_at) },
  })
  if (token) {
    // A key's token never changes, and nothing but a login brings a key.
    if (!before || !e._mode) state.token = token
    if (!before) state.key = key.secret
    state.at = Date.now()
    state.refresh = a.refresh_in
    state.ids = [e._random!(), e._random!()]
    state.note = undefined
  }
  e._state = state
  // (What somebody did before the first bind is still theirs after it.)
  if (e._user && e._user !== a.user) clearJar(e)
  e._user = a.user
  if (was !== JSON.stringify(state.session)) {
    e._told = {}
    emit(e, 'change')
  }
  // Stored before its first use, for which everybody waits: the first use of a bearer token retires the one before it.
  await store(e, state)
  return state
}

/** The number is that of this form of the stored value. */
export const identity = (e: Engine): string => '1 ' + e._options.app + ' ' + e._base + ' ' + e._mode

/** Encrypted where the platform can; older base libraries and other platforms ignore the wish. */
export const storageOf = (e: Engine): JarStorage => ({
  read: key => e._ask('getStorage', { key, encrypt: true }).then(({ data }) => data, nothing),
  write: (key, data) => e._ask('setStorage', { key, data, encrypt: true }),
})

export function store(e: Engine, state?: State): Promise<unknown> {
  const forget = (): Promise<unknown> => e._ask('removeStorage', { key: e._key }).catch(nothing)
  const write = async (before: unknown): Promise<unknown> => {
    await before
    // What can't be written is kept in memory only; an older token must not come back from the storage.
    return state ? storageOf(e).write(e._key, JSON.stringify(state)).catch(forget) : forget()
  }
  return (e._writing = write(e._writing))
}

export async function load(e: Engine): Promise<void> {
  try {
    const state = JSON.parse((await storageOf(e).read(e._key))!)
    // With a part missing every request would fail, for good.
    if (state.of === identity(e) && state.token && state.session.id && state.ids[1] && (e._mode !== 1 || state.key)) {
      e._state = state
      e._user = state.session.user
      e._skew = state.skew
      emit(e, 'change')
    }
  } catch (_) {}
  if (e._options.jar) await e._options.jar.open(storageOf(e), now(e))
}

/** One user's cookies are not the next one's; nor are those of answers that are still on their way. */
export function clearJar(e: Engine): void {
  e._cleared++
  if (e._options.jar) e._options.jar.clear()
}

/** Forgets a session, if it is still the one at hand. */
export function drop(e: Engine, state: State): true | undefined {
  if (!e._state || e._state.token !== state.token) return
  e._state = undefined
  e._told = {}
  store(e)
  emit(e, 'change')
  return true
}
