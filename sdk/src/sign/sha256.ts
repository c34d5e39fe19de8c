import { join } from './bytes'

const primes: number[] = []
for (let n = 2; n < 312; n++) if (primes.every(p => n % p)) primes.push(n)

// FIPS 180-4 defines its constants as fractions of the roots of the first primes; computed they are smaller than written.
const roots = (power: number): Int32Array => Int32Array.from(primes, p => Math.pow(p, power) * 4294967296)
const K = roots(1 / 3)

const rotate = (x: number, a: number, b: number): number => ((x >>> a) | (x << (32 - a))) ^ ((x >>> b) | (x << (32 - b)))

/** SHA-256 (FIPS 180-4) of less than 512 MB, 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  const size = data.length
  const padded = new Uint8Array((size + 72) & ~63)
  padded.set(data)
  padded[size] = 128
  const view = new DataView(padded.buffer)
  view.setInt32(padded.length - 4, size << 3)
  // Of these 64 roots the first eight are the sum.
  const sum = roots(1 / 2)
  const w = new Int32Array(64)
  // The standard's a to h are the eight from v[i] on. A round moves them on by one, which is i less one; only a and e are new.
  const v = new Int32Array(72)
  for (let at = 0; at < padded.length; at += 64) {
    v.set(sum.subarray(0, 8), 64)
    for (let t = 0, i = 64; i; t++) {
      const x = w[t - 15]
      const y = w[t - 2]
      w[t] =
        t < 16
          ? view.getInt32(at + 4 * t)
          : w[t - 16] + w[t - 7] + (rotate(x, 7, 18) ^ (x >>> 3)) + (rotate(y, 17, 19) ^ (y >>> 10))
      const a = v[i]
      const b = v[i + 1]
      const c = v[i + 2]
      const e = v[i + 4]
      const one = v[i + 7] + (rotate(e, 6, 11) ^ ((e >>> 25) | (e << 7))) + ((e & v[i + 5]) ^ (~e & v[i + 6])) + K[t] + w[t]
      v[i + 3] += one
      v[--i] = one + (rotate(a, 2, 13) ^ ((a >>> 22) | (a << 10))) + ((a & b) ^ (a & c) ^ (b & c))
    }
    for (let i = 0; i < 8; i++) view.setInt32(4 * i, (sum[i] += v[i]))
  }
  return padded.subarray(0, 32)
}

/** HMAC-SHA256 (RFC 2104) with a key of 64 bytes at most, which is all that there is here. */
export function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  const pad = (x: number): Uint8Array => new Uint8Array(64).map((_, i) => key[i] ^ x)
  return sha256(join(pad(92), sha256(join(pad(54), data))))
}
