import { refused, type Engine, type State } from '../session/state'
import { carry, type Job } from './carry'
import type { Answer } from './transport'
import { place } from './url'

/**
 * A call of our own API. `session`: with this one (null: none), and its refusals are the caller's; undefined: with the one at
 * hand, opened, renewed and replayed as for any request. `isFinal`: it ends the session, so none is opened for it.
 */
export function call(
  e: Engine,
  method: string,
  path: string,
  body?: object,
  session?: State | null,
  isFinal?: boolean,
): Promise<Answer> {
  const data = method === 'GET' ? undefined : body ? JSON.stringify(body) : ''
  const job: Job = {
    _kind: 'request',
    _options: { method, data },
    _own: true,
    _final: isFinal,
    _with: session,
    _method: method,
    _place: place(e._base + '/yaopai/v1' + path)!,
    _body: data,
    _fields: body ? { 'content-type': 'application/json' } : {},
  }
  return carry(e, job)
}

/** A call with the session at hand: what it answers, or the refusal. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export async function send(e: Engine, method: string, path: string, body?: object, isFinal?: boolean): Promise<any> {
  const answer = await call(e, method, path, body, undefined, isFinal)
  if (!answer._status || answer._status > 299) throw refused(e, answer)
  return answer._raw.data
}
