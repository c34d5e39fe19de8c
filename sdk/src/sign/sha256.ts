import { join } from './bytes'

// FIPS 180-4 defines the constants as fractions of the roots of the first primes; computed they are smaller than written.
const K: number[] = []
const START: number[] = []
const composite: number[] = []
for (let n = 2; K.length < 64; n++) {
  if (!composite[n]) {
    for (let m = n * n; m < 312; m += n) composite[m] = 1
    START.push((Math.sqrt(n) * 4294967296) | 0)
    K.push((Math.pow(n, 1 / 3) * 4294967296) | 0)
  }
}

const rotate = (x: number, a: number, b: number): number => ((x >>> a) | (x << (32 - a))) ^ ((x >>> b) | (x << (32 - b)))

/** SHA-256 (FIPS 180-4), 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  const size = data.length
  const padded = new Uint8Array((size + 72) & ~63)
  padded.set(data)
  padded[size] = 128
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, size / 536870912)
  view.setUint32(padded.length - 4, size << 3)
  const sum = new Int32Array(START.slice(0, 8))
  const w = new Int32Array(64)
  for (let at = 0; at < padded.length; at += 64) {
    let [a, b, c, d, e, f, g, h] = sum
    for (let i = 0; i < 64; i++) {
      const x = w[i - 15]
      const y = w[i - 2]
      w[i] =
        i < 16
          ? view.getInt32(at + 4 * i)
          : w[i - 16] + w[i - 7] + (rotate(x, 7, 18) ^ (x >>> 3)) + (rotate(y, 17, 19) ^ (y >>> 10))
      const one = h + (rotate(e, 6, 11) ^ ((e >>> 25) | (e << 7))) + ((e & f) ^ (~e & g)) + K[i] + w[i]
      const two = (rotate(a, 2, 13) ^ ((a >>> 22) | (a << 10))) + ((a & b) ^ (a & c) ^ (b & c))
      h = g
      g = f
      f = e
      e = (d + one) | 0
      d = c
      c = b
      b = a
      a = (one + two) | 0
    }
    ;[a, b, c, d, e, f, g, h].forEach((x, i) => (sum[i] += x))
  }
  const out = new DataView(padded.buffer, 0, 32)
  sum.forEach((x, i) => out.setInt32(4 * i, x))
  return new Uint8Array(padded.buffer, 0, 32)
}

/** HMAC-SHA256 (RFC 2104) with a key of 64 bytes at most, which is all that there is here. */
export function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  const pad = (x: number): Uint8Array => new Uint8Array(64).map((_, i) => key[i] ^ x)
  return sha256(join(pad(92), sha256(join(pad(54), data))))
}
