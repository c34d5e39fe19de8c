/** The parts of a URL that decide about cookies. There is no `URL` in a mini program. */
export interface Place {
  host: string
  path: string
  /** Whether a cookie marked Secure may travel: https, wss, or a server on this very machine, as browsers see it. */
  secure: boolean
}

const ADDRESS = /^(https?|wss?):\/\/([^/?#]*)([^?#]*)/i
const LOOPBACK = /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * Nothing for what is not an absolute URL, and for one that two parsers may read differently: with a backslash,
 * `https://evil.example\@shop.example/` is evil.example to some and shop.example to others.
 */
export function placeOf(url: string): Place | undefined {
  if (/[\\\u0000-\u0020\u007f]/.test(url)) return undefined
  const parts = ADDRESS.exec(url)
  if (!parts) return undefined
  const authority = parts[2].slice(parts[2].lastIndexOf('@') + 1)
  // Cookies know no ports (RFC 6265 §8.5).
  const host = authority.replace(/:\d*$/, '').toLowerCase()
  if (!host) return undefined
  return { host, path: parts[3] || '/', secure: parts[1].length > 4 || /^wss$/i.test(parts[1]) || LOOPBACK.test(host) }
}

/** RFC 6265 §5.1.4: the directory of the request's path. */
export function defaultPath(path: string): string {
  const end = path.lastIndexOf('/')
  return end > 0 ? path.slice(0, end) : '/'
}

/** RFC 6265 §5.1.4. */
export function pathMatches(path: string, cookiePath: string): boolean {
  if (path === cookiePath) return true
  if (path.slice(0, cookiePath.length) !== cookiePath) return false
  return cookiePath.slice(-1) === '/' || path.charAt(cookiePath.length) === '/'
}
