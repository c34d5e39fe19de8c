import type { Engine, State } from '../session/state'
import type { Job } from './carry'
import { place } from './url'
import { transport } from './transport'

/**
 * A call of our own API. `session`: with this one (null: none), and its refusals are the caller's; undefined: with the one at
 * hand, opened, renewed and replayed as for any request. `isFinal`: it ends the session, so none is opened for it.
 */
export function call(e: Engine, method: string, path: string, session?: State | null, body?: object, isFinal?: boolean): Job {
  const data = method === 'GET' ? undefined : body ? JSON.stringify(body) : ''
  return {
    _own: true,
    _final: isFinal,
    _with: session,
    _method: method,
    _place: place(e._base + '/yaopai/v1' + path)!,
    _body: data,
    _fields: body ? { 'Content-Type': 'application/json' } : {},
    _send: (url, fields) => transport(e, 'request', { url, method, data }, fields),
  }
}
