import type { Place } from '../request/url'
import { base64, utf8 } from './bytes'
import { hmac, sha256 } from './sha256'

/** What is signed, by RFC 9421 and docs/signatures.md. */
export interface Signable {
  _method: string
  _place: Place
  /** Undefined where the phone builds the body (uploads): then nothing covers it. */
  _body: string | ArrayBuffer | undefined
}

/** The bytes of a body as they are sent. */
const bytesOf = (body: string | ArrayBuffer): Uint8Array => (typeof body === 'string' ? utf8(body) : new Uint8Array(body))

/**
 * The fields that sign a request. `authorization` is empty if the token is shown elsewhere; `created` is the server's time in
 * milliseconds, `keyid` the session's id (with WeChat's key `<id>.<version>`).
 */
export function signature(
  what: Signable,
  authorization: string,
  key: Uint8Array,
  keyid: string,
  created: number,
  nonce: string,
): Record<string, string> {
  const { _method: method, _place: p, _body: body } = what
  const fields: Record<string, string> = {}
  const covered = [
    ['@method', method],
    ['@authority', p._authority],
    ['@path', p._path],
    ['@query', p._query || '?'],
  ]
  if (authorization) covered.push(['authorization', authorization])
  if (body !== undefined && method !== 'GET' && method !== 'HEAD') {
    covered.push(['content-digest', (fields['Content-Digest'] = 'sha-256=:' + base64(sha256(bytesOf(body))) + ':')])
  }
  const params =
    '(' + covered.map(([name]) => `"${name}"`).join(' ') + ')' +
    `;created=${Math.floor(created / 1000)};nonce="${nonce}";keyid="${keyid}";alg="hmac-sha256";tag="yaopai"`
  covered.push(['@signature-params', params])
  const base = covered.map(([name, value]) => `"${name}": ${value}`).join('\n')
  fields['Signature-Input'] = 'yaopai=' + params
  fields.Signature = 'yaopai=:' + base64(hmac(key, utf8(base))) + ':'
  return fields
}
