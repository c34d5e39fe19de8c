import { carry, ensure, type Answer } from '../request/carry'
import { call } from '../request/call'
import { leaveBindPage } from './bind-page'
import { end } from './end'
import { login, platformCode, platformKey } from './login'
import { drop, keep, refused, store, type Engine, type State } from './state'

/** What may replace a bearer token: a refresh, a bind, a refresh with a code; and the answer to `session_superseded`. */
export type Kind = 'refresh' | 'bind' | 'code' | 'superseded'

/**
 * Changes the session, one change after another. `evidence` is a bind's; `seen` is the session that met the need: if it was
 * changed since, there is none any more.
 */
export function change(e: Engine, kind: Kind, evidence?: object, seen?: State): Promise<State> {
  const turn = async (): Promise<State> => {
    const state = await ensure(e)
    if (
      seen &&
      (state.token !== seen.token ||
        (kind === 'code' ? state.session.vouchedAt > seen.session.vouchedAt : kind === 'refresh' && state.at !== seen.at))
    ) {
      return state
    }
    return once(e, kind, evidence, state)
  }
  const last = e._changing.then(turn, turn)
  e._changing = last.catch(() => 0)
  return last
}

async function once(e: Engine, kind: Kind, evidence: object | undefined, state: State, tries = 0): Promise<State> {
  const note = state.note
  const noted = typeof note === 'object' ? 'code' : note
  // Bearer: what was sent before and isn't answered goes first, and alone. (With a key nothing is ever noted.)
  if (noted && kind !== noted) {
    if (noted === 'bind') {
      // Its evidence is gone. A refresh isn't needed, the token goes on passing; and a login vouches as a step-up does.
      if (kind === 'refresh') return state
      drop(e, state)
      return login(e)
    }
    if (kind === 'superseded' && noted === 'refresh') state.note = undefined
    else {
      const then = await once(e, noted, undefined, state, tries)
      return kind === 'bind' ? once(e, kind, evidence, then) : then
    }
  }
  if (kind === 'superseded') state.ids[0] = e._random()
  let step: { id: string; code: string } | undefined
  if (kind === 'code') {
    step = note && typeof note === 'object' ? note : { code: await platformCode(e), id: e._random() }
    await platformKey(e, true)
  }
  if (!e._mode) {
    state.note = step || (kind === 'bind' ? kind : 'refresh')
    await store(e, state)
  }
  const isBind = kind === 'bind'
  const answer = await carry(
    e,
    isBind
      ? call(e, 'POST', '/binding', state, Object.assign({ request_id: state.ids[1] }, evidence))
      : call(e, 'POST', '/session/refresh', state, step ? { request_id: step.id, code: step.code } : { request_id: state.ids[0] }),
  )
  const code = answer._code
  const again = tries < 1
  if (answer._status === 200) return keep(e, answer, state)
  // Only one of the session's codes says something about the token.
  if (/^session_(kicked|replaced|ended)$|^user_disabled$/.test(code)) {
    end(e, state, code)
    throw refused(e, answer)
  }
  if (code === 'session_superseded' && !e._mode && kind !== 'superseded') {
    // Somebody else has used a newer token, so this one was copied: a refresh under a new id tells the server.
    state.note = undefined
    const then = await once(e, 'superseded', undefined, state)
    return isBind && again ? once(e, kind, evidence, then, 1) : then
  }
  if (/^session_(missing|unknown|expired|revoked|reused|superseded)$/.test(code) || (code === 'proof_required' && !e._mode)) {
    drop(e, state)
    const then = await login(e)
    return isBind && again ? once(e, kind, evidence, then, 1) : then
  }
  if (isBind && code === 'login_required' && again) {
    state.note = undefined
    return once(e, kind, evidence, await once(e, 'code', undefined, state), 1)
  }
  const isAnswered = /^(binding_rejected|binding_conflict|(bind_)?code_(invalid|used)|identity_mismatch|platform_blocked|session_limit)$/.test(code)
  if (isAnswered) {
    state.note = undefined
    if (isBind) state.ids[1] = e._random()
    await store(e, state)
    if (step && /^code_/.test(code) && again) return once(e, kind, evidence, state, 1)
  }
  throw refused(e, answer)
}

/** Refreshes by the phone's wall clock; a clock that was set back is a reason, too. Nobody waits for it. */
export function refreshIfDue(e: Engine): void {
  const state = e._state
  if (state && !e._refreshing && Math.abs(Date.now() - state.at) >= state.refresh * 1000) {
    const over = (): void => {
      e._refreshing = undefined
    }
    e._refreshing = change(e, 'refresh', undefined, state).then(over, over)
  }
}

/** `Yaopai-Bound`: the back end has bound the person. Read who it is, once. */
export function reread(e: Engine): void {
  const over = (): void => {
    e._rereading = undefined
  }
  e._rereading =
    e._rereading ||
    read(e)
      .then(state => {
        if (state && state.session.bound) leaveBindPage(e)
      })
      .then(over, over)
}

async function read(e: Engine): Promise<State | undefined> {
  const state = e._state
  const answer: Answer | undefined = state && (await carry(e, call(e, 'GET', '/session', state)))
  return answer && answer._status === 200 ? keep(e, answer, state) : undefined
}
