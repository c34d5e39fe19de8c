import { ensure } from '../request/carry'
import { call } from '../request/call'
import { apart, merge, nothing, sleep } from '../util'
import { leaveBindPage } from './bind-page'
import { isEnded } from './codes'
import { end } from './end'
import { login, platformCode, platformKey } from './login'
import { drop, keep, refused, store, type Engine, type State } from './state'

/** What may replace a bearer token: a refresh, a bind, a refresh with a code; and the answer to `session_superseded`. */
export type Kind = 'refresh' | 'bind' | 'code' | 'superseded'

/**
 * Changes the session, one change after another. `seen` is the session that met the need: if it was changed since, there is
 * none any more. `evidence` is a bind's.
 */
export function change(e: Engine, kind: Kind, seen?: State, evidence?: object): Promise<State> {
  const turn = async (before: unknown): Promise<State> => {
    await before
    const state = await ensure(e)
    const isMet =
      seen &&
      (state.token !== seen.token ||
        (kind === 'code' ? state.session.vouchedAt > seen.session.vouchedAt : kind === 'refresh' && state.at !== seen.at))
    return isMet ? state : once(e, kind, state, evidence)
  }
  const last = turn(e._changing)
  e._changing = last.catch(nothing)
  return last
}

async function once(e: Engine, kind: Kind, state: State, evidence?: object, isAgain?: boolean): Promise<State> {
  const isBind = kind === 'bind'
  const { note, ids } = state
  const noted = typeof note === 'object' ? 'code' : note
  const then = (next: State): State | Promise<State> => (isBind && !isAgain ? once(e, kind, next, evidence, true) : next)
  // Bearer: what was sent before and isn't answered goes first, and alone. (With a key nothing is ever noted.)
  if (noted && kind !== noted && (kind !== 'superseded' || noted === 'code')) {
    if (noted !== 'bind') {
      const next = await once(e, noted, state)
      return isBind || kind === 'code' ? once(e, kind, next, evidence) : next
    }
    // Its evidence is gone. A refresh isn't needed, the token goes on passing; and a login vouches as a step-up does.
    if (kind === 'refresh') return state
    drop(e, state)
    return login(e)
  }
  if (kind === 'superseded') ids[0] = e._random!()
  let step: { id: string; code: string } | undefined
  if (kind === 'code') {
    step = (note as typeof step) || { code: await platformCode(e), id: e._random!() }
    await platformKey(e, true)
  }
  if (!e._mode) {
    state.note = step || (isBind ? kind : 'refresh')
    await store(e, state)
  }
  const answer = await (isBind
    ? call(e, 'POST', '/binding', merge({ request_id: ids[1] }, evidence), state)
    : call(e, 'POST', '/session/refresh', { request_id: step ? step.id : ids[0], code: step && step.code }, state))
  const code = answer._code
  if (answer._status === 200) return keep(e, answer, state)
  if (code === 'session_superseded' && !e._mode && kind !== 'superseded') {
    // Somebody else has used a newer token, so this one was copied: a refresh under a new id tells the server.
    state.note = undefined
    return then(await once(e, 'superseded', state))
  }
  if (e._isDead(e, answer)) {
    drop(e, state)
    return then(await login(e))
  }
  if (isEnded(code)) end(e, state, code)
  if (isBind && code === 'login_required' && !isAgain) {
    state.note = undefined
    return then(await once(e, 'code', state))
  }
  // An answer, of which nothing more will come.
  if (/^(binding_|(bind_)?code_|identity_|platform_bl)/.test(code)) {
    state.note = undefined
    if (isBind) ids[1] = e._random!()
    await store(e, state)
    if (step && /^code_/.test(code) && !isAgain) return once(e, kind, state, evidence, true)
  }
  throw refused(e, answer)
}

/** Refreshes by the phone's wall clock; a clock that was set back is a reason, too. Nobody waits for it. */
export function refreshIfDue(e: Engine): void {
  const state = e._state
  if (state && !e._refreshing && apart(state.at) >= state.refresh * 1000) {
    e._refreshing = change(e, 'refresh', state)
      // One that failed is not tried again with each request.
      .catch(() => sleep(30000))
      .then(() => (e._refreshing = undefined))
  }
}

/** `Yaopai-Bound`: the back end has bound the person. Read who it is, once, and leave the bind page. */
export function reread(e: Engine, state: State): void {
  e._rereading =
    e._rereading ||
    call(e, 'GET', '/session', undefined, state)
      .then(async answer => {
        if ((await keep(e, answer, state)).session.bound) leaveBindPage(e)
      })
      .catch(nothing)
      .then(() => (e._rereading = undefined))
}
