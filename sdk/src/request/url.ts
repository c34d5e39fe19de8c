import { percent } from '../sign/bytes'

/** A URL in the one form in which it is both signed and sent. */
export interface Place {
  _scheme: string
  /** `https://shop.example`, of a socket too. */
  _origin: string
  _authority: string
  _path: string
  /** Without its `?`; empty if there is none. */
  _query: string
  /** With its `#`; never sent, but a web-view needs it. */
  _fragment: string
}

/**
 * Reads an absolute URL. What is not plainly one (user info, backslashes, spaces or escapes in the host) is none: the answer
 * is undefined, and the request goes as it is, without a session. Platforms differ in where they would send it.
 */
export function place(url: string): Place | undefined {
  const m = /^(http|ws)(s?):\/\/((?:[\w.-]+|\[[\da-f:.]+])(?::[1-9]\d*)?)(\/[^?#]*)?(?:\?([^#]*))?(#.*)?$/i.exec(url)
  if (!m) return
  const s = m[2].toLowerCase()
  const authority = m[3].toLowerCase().replace(s ? /:443$/ : /:80$/, '')
  return {
    _scheme: m[1].toLowerCase() + s,
    _origin: 'http' + s + '://' + authority,
    _authority: authority,
    _path: escape(m[4] || '/'),
    _query: escape(m[5] || ''),
    _fragment: m[6] || '',
  }
}

/** The URL to send. */
export const link = (p: Place): string => p._scheme + '://' + p._authority + p._path + (p._query && '?' + p._query)

/** Adds to the query; `text` is escaped where that is needed. */
export function extend(p: Place, text: string): void {
  if (text) p._query += (p._query && '&') + escape(text)
}

/** Escapes all that some network stack might escape by itself on the way: then the signature would not fit. */
const escape = (text: string): string =>
  text.replace(/%(?![\da-f]{2})|[^!$-&(-;=?-Z_a-z~]+/gi, part => percent(part).replace(/'/g, '%27'))

/** An object as `wx.request` writes it into a query or a form: nested ones as JSON. */
export const form = (data: Record<string, unknown>): string =>
  Object.keys(data)
    .map(key => percent(key) + '=' + percent(String(typeof data[key] === 'object' ? JSON.stringify(data[key]) : data[key])))
    .join('&')
