import { errorOf } from '../error'
import { sleep } from '../platform/native'
import { unbase64 } from '../sign/bytes'
import { signature, type Signable } from '../sign/sign'
import { hmac } from '../sign/sha256'
import { drop, now, type Engine, type State } from '../session/state'
import { login, platformKey } from '../session/login'
import { change, refreshIfDue, reread } from '../session/change'
import { notBound } from '../session/bind-page'
import { end, tell } from '../session/end'
import { field, setField, type Headers } from './headers'
import { link } from './url'

/** An answer, with its header fields also where the platform hands them over apart (uploads, downloads). */
export interface Answer {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  _raw: any
  _header: Headers
  /** Of the refusal, behind nginx too. */
  _status: number
  /** Empty if the server has not refused it. */
  _code: string
}

/** A request on its way, as often as it takes. */
export interface Job extends Signable {
  /** The caller's own fields. */
  _fields: Headers
  /** Sends it once. Rejects where there is no answer. */
  _send(url: string, fields: Headers): Promise<{ raw: any; header: Headers }> // eslint-disable-line @typescript-eslint/no-explicit-any
  /** A call of our API: repeated by us if there is no answer. */
  _own?: boolean
  /** With this session and no other; null: without any. Its refusals are the caller's to read. */
  _with?: State | null
  /** A session that is over answers this call: nothing is opened for it. */
  _final?: boolean
  _aborted?: boolean
  /** May it be sent again now? (An upload's file may be gone.) */
  _repeatable?(): Promise<unknown>
}

/** The session for a request: the one at hand, or one that is opened now. */
export async function ensure(e: Engine): Promise<State> {
  await e._ready
  await e._writing
  if (e._ended) throw e._ended
  const state = e._state || (await login(e))
  refreshIfDue(e)
  return state
}

/** Sends a request with the session, and again where docs/client-protocol.md says so: once for each reason. */
export async function carry(e: Engine, job: Job): Promise<Answer> {
  const done: Record<string, number> = {}
  const isSafe = job._own || job._method === 'GET' || job._method === 'HEAD'
  for (;;) {
    const state = job._with === undefined ? await ensure(e) : job._with
    const bound = !!state && state.session.bound
    const fields = await sign(e, job, state)
    if (job._aborted) throw errorOf(e._zh, 'aborted')
    const sent = Date.now()
    let answer: Answer
    let cure: string
    try {
      const { raw, header } = await job._send(link(job._place), fields)
      const code = field(header, 'yaopai-code')
      answer = { _raw: raw, _header: header, _code: code, _status: +field(header, 'yaopai-status') || raw.statusCode || raw.status }
      cure = judge(answer, state, bound, sent)
      // Something in front of the server answers for it.
      if (job._own && !code && answer._status > 499) cure = 'silence'
    } catch (failure) {
      // The caller's own requests fail as the platform says.
      if (!job._own) throw failure
      cure = 'silence'
      answer = { _raw: {}, _header: {}, _code: 'network', _status: 0 }
    }
    const count = (done[cure] = (done[cure] || 0) + 1)
    if (!cure || job._aborted || count > (cure === 'silence' || (cure === 'wait' && job._own) ? 3 : 1)) return answer
    const retry = field(answer._header, 'retry-after')
    const wait = retry ? +retry * 1000 : /silence|wait|internal/.test(cure) ? 500 << count : 0
    if (wait > 10000) return answer
    try {
      await (job._repeatable && job._repeatable())
      await sleep(wait)
      // A login that fails leaves the caller with the first answer.
      if (cure === 'login') await login(e)
      if (cure === 'step-up') await change(e, 'code', undefined, state!)
      if (cure === 'superseded') await change(e, 'superseded', undefined, state!)
    } catch (_) {
      return answer
    }
  }

  /** Why the request is to be sent again, or nothing. Does what else the answer asks for. */
  function judge(answer: Answer, state: State | null, bound: boolean, sent: number): string {
    const { _code: code, _status: status, _header: header } = answer
    const time = Date.parse(field(header, 'yaopai-time'))
    // An answer that was long on its way, or waited in a frozen phone, tells the wrong time.
    if (time && (code === 'proof_stale' || Date.now() - sent < 9000)) e._skew = time - Date.now()
    if (field(header, 'yaopai-bound')) reread(e)
    if (/^((backend_)?unavailable|rate_limited)$/.test(code)) return 'wait'
    if (/^(proof_stale|internal)$/.test(code)) return code
    if (code === 'proof_replayed') return isSafe ? code : ''
    if (job._with !== undefined || !state) return ''
    const at = e._state
    const isOwnBackEnds = !code && !job._own
    const unauthorized = isOwnBackEnds && e._options.isUnauthorized && e._options.isUnauthorized(answer._raw)
    if (isOwnBackEnds && !unauthorized) return ''
    // Only our refusals say that nobody has acted on the request.
    const again = unauthorized && !isSafe ? '' : 'login'
    if ((status === 401 || unauthorized) && at && at.token !== state.token) return again && 'other'
    if (code === 'session_superseded' && !e._mode) return 'superseded'
    if (unauthorized || /^session_(missing|unknown|expired|revoked|reused|superseded)$/.test(code) || (code === 'proof_required' && !e._mode)) {
      drop(e, state)
      return job._final ? '' : again
    }
    if (/^(session_(kicked|replaced|ended)|user_disabled)$/.test(code)) end(e, state, code, job._final)
    else if (code === 'login_required') return 'step-up'
    else if (code === 'not_bound') {
      if (at && at.session.bound && !bound) return 'other'
      if (!job._own) notBound(e, sent, field(job._fields, 'yaopai-background'))
    } else if (!job._own && /^(session_limit|platform_blocked|app_not_allowed)$/.test(code)) tell(e, code)
    return ''
  }
}

/** The request's fields: the caller's, the token where the server looks for it, the signature. */
async function sign(e: Engine, job: Job, state: State | null): Promise<Headers> {
  const fields = Object.assign({}, job._fields)
  const url = link(job._place)
  if (e._jar) {
    const cookies = e._jar.header(url, Date.now(), field(fields, 'cookie') || undefined)
    if (cookies) setField(fields, 'Cookie', cookies)
  }
  if (!state) return fields
  const key = e._options.key && (await platformKey(e))
  const carrier = e._options.carrier as { cookie?: string; header?: string } | undefined
  const bearer = carrier ? '' : 'Bearer ' + state.token
  if (!carrier) setField(fields, 'Authorization', bearer)
  else if (carrier.header) setField(fields, carrier.header, state.token)
  else {
    const given = field(fields, 'cookie')
    setField(fields, 'Cookie', carrier.cookie + '=' + state.token + (given && '; ' + given))
  }
  if (e._mode) {
    const id = state.session.id
    const proof = key
      ? signature(job, bearer, key.derive(id, hmac), id + '.' + key.version, now(e), e._random())
      : signature(job, bearer, unbase64(state.key!), id, now(e), e._random())
    for (const name in proof) setField(fields, name, proof[name])
  }
  return fields
}
