import type { Place } from '../request/url'
import { base64, utf8 } from './bytes'
import { hmac, sha256 } from './sha256'

/** What is signed, by RFC 9421 and docs/signatures.md. */
export interface Signable {
  _method: string
  _place: Place
  /** Undefined with GET and HEAD, and where the phone builds the body (uploads): then nothing covers it. */
  _body?: string | ArrayBuffer
}

/**
 * The fields that sign a request. `authorization` is empty if the token is shown elsewhere; `created` is the server's time in
 * milliseconds, `keyid` the session's id (with WeChat's key `<id>.<version>`).
 */
export function signature(
  { _method: method, _place: p, _body: body }: Signable,
  authorization: string,
  key: Uint8Array,
  keyid: string,
  created: number,
  nonce: string,
): Record<string, string> {
  const fields: Record<string, string> = {}
  let names = ''
  let base = ''
  const cover = (name: string, value: string): void => {
    names += ' "' + name + '"'
    base += '"' + name + '": ' + value + '\n'
  }
  cover('@method', method)
  cover('@authority', p._authority)
  cover('@path', p._path)
  cover('@query', '?' + p._query)
  if (authorization) cover('authorization', authorization)
  if (body !== undefined) {
    const digest = 'sha-256=:' + base64(sha256(typeof body === 'string' ? utf8(body) : new Uint8Array(body))) + ':'
    cover('content-digest', (fields['content-digest'] = digest))
  }
  const params = `(${names.slice(1)});created=${Math.floor(created / 1000)};nonce="${nonce}";keyid="${keyid}";alg="hmac-sha256";tag="yaopai"`
  fields['signature-input'] = 'yaopai=' + params
  fields.signature = 'yaopai=:' + base64(hmac(key, utf8(base + '"@signature-params": ' + params))) + ':'
  return fields
}
