import { cookieDate } from './date'

/** One Set-Cookie as the server wrote it, before it is judged. */
export interface SetCookie {
  name: string
  value: string
  /** In milliseconds of the server's time; nothing for a session cookie. */
  expires?: number
  /** Without its leading dot; '' if none was named. */
  domain: string
  /** '' if none was named, or none that begins with a slash. */
  path: string
  secure: boolean
  httpOnly: boolean
}

// Browsers keep nothing longer (RFC 6265bis §5.5), and a sum of time stays a number that JSON can hold.
const LONGEST = 400 * 86400 * 1000

/** RFC 6265 §5.2; as in its successor (RFC 6265bis), one with a control character in it is dropped. */
export function parseSetCookie(line: string, now: number): SetCookie | undefined {
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(line)) return undefined
  const parts = line.split(';')
  const equals = parts[0].indexOf('=')
  const name = parts[0].slice(0, Math.max(equals, 0)).trim()
  if (!name) return undefined

  const cookie: SetCookie = { name, value: parts[0].slice(equals + 1).trim(), domain: '', path: '', secure: false, httpOnly: false }
  let expires: number | undefined
  let maxAge: number | undefined
  for (let i = 1; i < parts.length; i++) {
    const at = parts[i].indexOf('=')
    const key = (at < 0 ? parts[i] : parts[i].slice(0, at)).trim().toLowerCase()
    const value = at < 0 ? '' : parts[i].slice(at + 1).trim()
    if (key === 'expires') {
      const date = cookieDate(value)
      if (date !== undefined) expires = date
    } else if (key === 'max-age') {
      if (/^-?\d+$/.test(value)) maxAge = Number(value)
    } else if (key === 'domain') {
      if (value) cookie.domain = value.replace(/^\./, '').toLowerCase()
    } else if (key === 'path') {
      cookie.path = value.charAt(0) === '/' ? value : ''
    } else if (key === 'secure') {
      cookie.secure = true
    } else if (key === 'httponly') {
      cookie.httpOnly = true
    }
  }
  // Max-Age counts on no clock but ours, so it goes before Expires, wherever it stands.
  if (maxAge !== undefined) expires = maxAge > 0 ? now + maxAge * 1000 : 0
  if (expires !== undefined) cookie.expires = Math.min(expires, now + LONGEST)
  return cookie
}
