const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** As `encodeURIComponent`, which throws at half of a surrogate pair: here that becomes U+FFFD, as everywhere. */
export const percent = (text: string): string =>
  encodeURIComponent(text.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, c => (c[1] ? c : '\ufffd')))

/** UTF-8. There is no TextEncoder on a phone; what escapes is undone by the oldest of its functions. */
export const utf8 = (text: string): Uint8Array => Uint8Array.from<string>(unescape(percent(text)), c => c.charCodeAt(0))

export function base64(bytes: Uint8Array): string {
  let out = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const n = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2]
    for (let k = 0; k < 4; k++) out += i + k > bytes.length ? '=' : ALPHABET[(n >> (18 - 6 * k)) & 63]
  }
  return out
}

/** Standard base64, padded or not. What isn't base64 gives other bytes, with which no signature fits. */
export function unbase64(text: string): Uint8Array {
  const out: number[] = []
  let n = 0
  let bits = 0
  for (const c of text.replace(/=+$/, '')) {
    n = (n << 6) | ALPHABET.indexOf(c)
    bits += 6
    if (bits > 7) out.push(n >> (bits -= 8))
  }
  return new Uint8Array(out)
}

export function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}
