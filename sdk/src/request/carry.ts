/* eslint-disable @typescript-eslint/no-explicit-any */
import { errorOf } from '../error'
import { unbase64 } from '../sign/bytes'
import { signature, type Signable } from '../sign/sign'
import { hmac } from '../sign/sha256'
import { notBound } from '../session/bind-page'
import { change, refreshIfDue, reread } from '../session/change'
import { isEnded } from '../session/codes'
import { end, tell } from '../session/end'
import { login, platformKey } from '../session/login'
import { drop, now, type Engine, type State } from '../session/state'
import { apart, attempt, merge, sleep } from '../util'
import { isBodiless } from './body'
import { field, setFields, type Headers } from './headers'
import { transport, type Answer } from './transport'
import { link } from './url'

/** A request on its way, as often as it takes. */
export interface Job extends Signable {
  /** Of the platform's functions; and what it is given besides URL and fields. */
  _kind: string
  _options: object
  /** The caller's own fields. */
  _fields: Headers
  /** Is given the platform's task, each time. */
  _attach?(task: any): void
  /** A call of our API: repeated by us if there is no answer. */
  _own?: boolean
  /** With this session and no other; null: without any. Its refusals are the caller's to read. */
  _with?: State | null
  /** A session that is over answers this call: nothing is opened for it. */
  _final?: boolean
  _aborted?: boolean
  /** Rejects if it can't be sent again. (An upload's file may be gone.) */
  _repeatable?(): Promise<unknown>
}

/** The session for a request: the one at hand, or one that is opened now. */
export async function ensure(e: Engine): Promise<State> {
  await e._ready
  await e._writing
  if (e._ended) throw e._ended
  const state = await login(e)
  refreshIfDue(e)
  return state
}

/** Sends a request with the session, and again where docs/client-protocol.md says so: once for each reason. */
export async function carry(e: Engine, job: Job): Promise<Answer> {
  const done: Record<string, number> = {}
  const { _own: isOwn, _with: given } = job
  const { jar } = e._options
  const isRepeatable = isOwn || isBodiless(job._method)
  // Of the last time that it was sent.
  let state: State | null
  let wasBound: unknown
  let order: number
  let time: number
  let answer: Answer
  for (;;) {
    state = given === undefined ? await e._ensure(e) : given
    wasBound = state && state.session.bound
    const cleared = e._cleared
    const url = link(job._place)
    const fields = await sign(e, job, state, url)
    if (job._aborted) throw errorOf(e, 'abort')
    time = Date.now()
    order = ++e._sent
    answer = { _raw: {}, _header: {}, _code: 'network', _status: 0, _retry: 0 }
    try {
      answer = await transport(e, job, url, fields)
      if (jar && cleared === e._cleared) jar.take(url, { cookies: answer._raw.cookies, header: answer._header }, now(e))
    } catch (failure) {
      // The caller's own requests fail as the platform says.
      if (!isOwn) throw failure
    }
    const cure = judge()
    const count = (done[cure] = (done[cure] || 0) + 1)
    if (!cure || job._aborted || count > (isOwn && cure === 'wait' ? 3 : 1)) return answer
    const wait = answer._retry * 1000 || (/wait|internal/.test(cure) ? 500 << count : 0)
    if (wait > 10000) return answer
    try {
      if (job._repeatable) await job._repeatable()
      await sleep(wait)
      if (cure === 'login') await login(e)
      if (/^(code|superseded)/.test(cure)) await change(e, cure as 'code', state!)
    } catch (_) {
      // What can't be cured leaves the caller with the first answer.
      return answer
    }
  }

  /** Why the request is to be sent again, or nothing. Does what else the answer asks for. */
  function judge(): string {
    const { _code: code, _status: status, _header: header } = answer
    const theirs = Date.parse(field(header, 'yaopai-time'))
    // An answer that was long on its way, or waited in a frozen phone, tells the wrong time.
    if (code && theirs && (code === 'proof_stale' || Date.now() - time < 9000)) e._skew = theirs - Date.now()
    if (state && field(header, 'yaopai-bound')) reread(e, state)
    // No answer, or that of something in front of the server; and the server's own wish.
    if ((isOwn && (!status || (!code && status > 499))) || /^((backend_)?unavailable|rate_)/.test(code)) return 'wait'
    if (/^(proof_stale|internal)/.test(code)) return code
    if (code === 'proof_replayed') return isRepeatable ? code : ''
    if (given !== undefined || !state) return ''
    // (There may be none; and it was written for answers with a body: a download's has none, and `null` is JSON, too.)
    const isForeign = !code && !isOwn && attempt(() => e._options.isUnauthorized!(answer._raw))
    if (!code && !isForeign) return ''
    // Only our refusals say that nobody has acted on the request.
    const again = isForeign && !isRepeatable ? '' : 'login'
    const at = e._state
    if (at && at.token !== state.token && (isForeign || status === 401)) return again
    if (code === 'session_superseded' && !e._mode) return 'superseded'
    if (isForeign) {
      // A login that is seconds old was no cure: the next one wouldn't be, either. And whom the back end doesn't know at all,
      // a guest maybe, is not logged in anew all day: after 10 s, 20 s … at most eleven minutes.
      if (apart(state.at) < 10000 || apart(e._foreignAt) < 5000 << e._foreign) return ''
      e._foreignAt = Date.now()
      if (e._foreign < 7) e._foreign++
    }
    if (isForeign || e._isDead(e, answer)) {
      drop(e, state)
      return job._final ? '' : again
    }
    if (isEnded(code)) end(e, state, code, job._final)
    if (code === 'login_required') return 'code'
    if (code === 'not_bound') {
      if (at && at.session.bound && !wasBound) return 'login'
      if (!isOwn && !field(job._fields, 'yaopai-background')) notBound(e, order)
    }
    if (code === 'app_not_allowed') tell(e, errorOf(e, code))
    return ''
  }
}

/** The request's fields: the caller's, the token where the server looks for it, the signature. */
async function sign(e: Engine, job: Job, state: State | null, url: string): Promise<Headers> {
  const fields = merge(job._fields)
  const { jar, carrier } = e._options
  const { cookie, header }: { cookie?: string; header?: string } = carrier || {}
  const given = field(fields, 'cookie')
  const cookies = jar ? jar.header(url, now(e), given) : given
  const all = [state && cookie && cookie + '=' + state.token, cookies].filter(Boolean).join('; ')
  if (all) setFields(fields, { cookie: all })
  if (!state) return fields
  const { token, key, session } = state
  const bearer = carrier ? '' : 'Bearer ' + token
  if (!cookie) setFields(fields, { [header || 'authorization']: bearer || token })
  if (e._mode) {
    const own = await platformKey(e)
    setFields(
      fields,
      signature(
        job,
        bearer,
        own ? own.derive(session.id, hmac) : unbase64(key!),
        own ? session.id + '.' + own.version : session.id,
        now(e),
        e._random!(),
      ),
    )
  }
  return fields
}
