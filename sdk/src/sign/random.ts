import type { Native } from '../platform/native'
import { base64, join, utf8 } from './bytes'
import { hmac, sha256 } from './sha256'

/**
 * More than 128 random bits at a time, as some 40 letters and digits, without waiting. `wx.getRandomValues` (base library 2.15.0) only answers later,
 * so 32 bytes are fetched ahead and stretched by HMAC over a counter: however many first requests come at once, none waits.
 */
export async function randomSource(native: Native): Promise<() => string> {
  // Where the platform has no random bytes, this alone has to do; where it has, it does no harm.
  const random = Math.random
  let seed = sha256(utf8([random(), random(), random(), random(), Date.now()].join()))
  try {
    seed = sha256(join(seed, new Uint8Array((await native._ask('getRandomValues', { length: 32 })).randomValues)))
  } catch (_) {}
  let count = 0
  return () => base64(hmac(seed, utf8('' + count++))).replace(/\W/g, '')
}
