import { errorOf, type YaopaiError } from '../error'
import type { Answer } from '../request/transport'
import type { Engine, State } from '../session/state'
import type { JarStorage, Move } from '../types'
import { nothing, sleep } from '../util'
import type { Call, End, Mover } from './mover'
import { passing } from './pass'
import { Wait } from './wait'

export type { Move, Side } from '../types'

export interface MoveOptions {
  /** Under which the wait stands in the storage. Default `yaopai.move`. */
  storageKey?: string
}

/** After so many seconds who is on the legacy side asks again, if nobody could say. */
const UNKNOWN = 60

/** For so many milliseconds requests wait for our answer, if it is not known where to send them, or a refresh may end the session. */
const PATIENCE = 10000

/**
 * The move from a session of one's own, person by person (docs/moving.md). `install({ …, move })`: while the server answers
 * `not_moved` the client stands aside, and when the time is over that the server has named it asks again by one login. Nobody waits for
 * that one: its answer counts from the next request on.
 */
export function move({ storageKey = 'yaopai.move' }: MoveOptions = {}): Move {
  const wait = new Wait(storageKey)
  let isJoined: (e: Engine) => void
  const joined = new Promise<Engine>(done => (isJoined = done))
  const mover: Mover = {
    async side() {
      const e = await joined
      await e._ready
      try {
        await e._ensure(e)
        return 'yaopai'
      } catch (error) {
        if ((error as YaopaiError).code === 'not_moved') return 'legacy'
        // As far as is known.
        if (wait._known === 'yaopai') return wait._known
        throw error
      }
    },

    onChange: listener => wait._onChange(listener),

    join(e, call, end) {
      step(e, wait, call, end)
      isJoined(e)
    },
  }
  return mover
}

/** Puts our steps in place of the client's. */
function step(e: Engine, wait: Wait, call: Call, end: End): void {
  const { _ready: ready, _ensure: ensure, _exchange: exchange, _isDead: isDead, _start: start } = e
  /** Why a session has ended, until a login tells whether the person has gone back. */
  let doubted = ''

  const standAside = (seconds?: number): void => {
    doubted = ''
    wait._standAside(seconds)
  }

  e._ready = ready!.then(async () => {
    await wait._open(storageOf(e), e._options.app + ' ' + e._base)
    if (e._state) wait._stayHere()
  })

  /** On the side of old, also while a login that says otherwise is being stored. */
  const isLegacy = (): boolean => wait._known === 'legacy' && (!e._state || !!e._opening)

  let asking: Promise<void> | undefined
  /** The question, of one who is on no side yet, for as long as requests wait for it. */
  const ask = async (): Promise<void> => {
    try {
      await Promise.race([ensure(e), sleep(PATIENCE)])
    } finally {
      asking = undefined
    }
    // Nobody has said anything so far, and all come from the side of old.
    if (!wait._known) standAside(UNKNOWN)
  }

  let refreshing: unknown
  let patience: Promise<unknown> | undefined

  e._ensure = async () => {
    await e._ready
    if (!wait._known) await (asking = asking || ask())
    if (isLegacy()) {
      // Who has stood aside asks when that is over, however many times the answer was the same.
      if (!wait._isAside() && !e._opening) {
        e._pause = 0
        ensure(e).catch(nothing)
      }
      throw errorOf(e, 'not_moved')
    }
    const state = await ensure(e)
    if (!e._refreshing) return state
    // The refresh may end the session, and that would cut what is under way. In an outage it may take minutes.
    if (refreshing !== e._refreshing) patience = sleep(PATIENCE)
    refreshing = e._refreshing
    await Promise.race([e._changing, patience])
    return ensure(e)
  }

  e._exchange = async () => {
    if (wait._isAside()) throw errorOf(e, 'not_moved')
    let state: State
    try {
      state = await exchange(e)
    } catch (error) {
      const { code, status, retryIn } = error as YaopaiError
      const isOutage = status > 428 || /^(network|malformed_answer|platform_login|login_quota)/.test(code)
      if (code === 'not_moved') standAside(retryIn)
      // No failure of ours takes the session of old from who has it: an outage, or a refusal that only says that there is none here.
      // And an outage leaves everybody where they were: of whom we know nothing, that is on the side of old.
      else if (wait._known === 'legacy' || (!wait._known && isOutage)) standAside(UNKNOWN)
      else throw error
      // Without a status: the person is not told.
      throw errorOf(e, 'not_moved')
    }
    wait._stayHere()
    if (!doubted) return state
    // The person is still here, so the session before has ended for the reason that it said. This one was only to ask.
    const code = doubted
    doubted = ''
    call(e, 'DELETE', '/session', undefined, state)
    end(e, state, code)
    throw e._ended
  }

  e._isDead = (_, answer: Answer) => {
    const { _code: code, _retry: retry } = answer
    if (isDead(e, answer)) return true
    if (code === 'not_moved') {
      standAside(retry)
      return true
    }
    // (One that was replaced by another device's is not asked about: to ask would replace that.)
    if (e._ended || !/^(session_(kicked|ended)|user_disabled)/.test(code)) return false
    if (!wait._isAside()) doubted = code
    return true
  }

  e._start = passing(start, isLegacy, () => e._ensure(e))
}

/** Encrypted where the platform can, as the session is. */
const storageOf = (e: Engine): JarStorage => ({
  read: key => e._ask('getStorage', { key, encrypt: true }).then(({ data }) => data),
  // What stood there before must not come back.
  write: (key, data) => e._ask('setStorage', { key, data, encrypt: true }).catch(() => e._ask('removeStorage', { key })),
})
