import { hex, utf8 } from '../sign/bytes'

/** A URL in the one form in which it is both signed and sent. */
export interface Place {
  /** `https://shop.example`, of a socket too. */
  _origin: string
  _authority: string
  _path: string
  /** With its `?`; empty if there is none. */
  _query: string
  /** With its `#`; never sent, but a web-view needs it. */
  _fragment: string
  _scheme: string
}

/**
 * Reads an absolute URL. What is not plainly one (user info, backslashes, spaces or escapes in the host) is none: the answer
 * is undefined, and the request goes as it is, without a session. Platforms differ in where they would send it.
 */
export function place(url: string): Place | undefined {
  const m = /^(https?|wss?):\/\/([\w.-]+|\[[\da-f:.]+\])(:\d+)?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/i.exec(url)
  if (!m) return undefined
  const scheme = m[1].toLowerCase()
  const secure = scheme === 'https' || scheme === 'wss'
  const port = m[3] && +m[3].slice(1)
  const authority = m[2].toLowerCase() + (port && port !== (secure ? 443 : 80) ? ':' + port : '')
  const query = escape(m[5] || '')
  return {
    _scheme: scheme,
    _origin: (secure ? 'https://' : 'http://') + authority,
    _authority: authority,
    _path: escape(m[4] || '/'),
    _query: query === '?' ? '' : query,
    _fragment: m[6] || '',
  }
}

/** The URL to send. */
export const link = (p: Place): string => p._scheme + '://' + p._authority + p._path + p._query

/** Adds to the query; `text` is escaped where that is needed. */
export function extend(p: Place, text: string): void {
  if (text) p._query = (p._query ? p._query + '&' : '?') + escape(text)
}

/** Escapes all that some network stack might escape by itself on the way: then the signature would not fit. */
function escape(text: string): string {
  return text.replace(/%(?![\da-f]{2})|[\ud800-\udbff][\udc00-\udfff]|[^!#-&(-;=?-Z_a-z~]/gi, c =>
    hex(utf8(c)).replace(/../g, '%$&').toUpperCase(),
  )
}

/** An object as `wx.request` writes it into a query or a form: nested ones as JSON. */
export function form(data: Record<string, unknown>): string {
  return Object.keys(data)
    .map(key => pair(key) + '=' + pair(typeof data[key] === 'object' ? JSON.stringify(data[key]) : String(data[key])))
    .join('&')
}

// encodeURIComponent throws at half of a surrogate pair.
const pair = (text: string): string => text.replace(/[\ud800-\udbff][\udc00-\udfff]|[^]/g, c =>
  /[\ud800-\udfff]/.test(c) && c.length < 2 ? '%EF%BF%BD' : encodeURIComponent(c),
)
