const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** UTF-8. There is no TextEncoder on a phone. Half of a surrogate pair becomes U+FFFD, as everywhere. */
export function utf8(text: string): Uint8Array {
  const out: number[] = []
  for (let i = 0; i < text.length; ) {
    let c = text.codePointAt(i++)!
    if (c > 65535) i++
    else if (c >> 11 === 27) c = 65533
    if (c < 128) out.push(c)
    else {
      if (c < 2048) out.push(192 | (c >> 6))
      else {
        if (c < 65536) out.push(224 | (c >> 12))
        else out.push(240 | (c >> 18), 128 | ((c >> 12) & 63))
        out.push(128 | ((c >> 6) & 63))
      }
      out.push(128 | (c & 63))
    }
  }
  return new Uint8Array(out)
}

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

export function hex(bytes: Uint8Array): string {
  let out = ''
  bytes.forEach(b => (out += (b + 256).toString(16).slice(1)))
  return out
}

export function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}
