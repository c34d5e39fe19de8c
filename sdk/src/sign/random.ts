import type { Engine } from '../session/state'
import { base64, join, utf8 } from './bytes'
import { hmac, sha256 } from './sha256'

/**
 * More than 128 random bits at a time, as 43 letters and digits at most, without waiting. `wx.getRandomValues` (base library
 * 2.15.0) only answers later, so 32 bytes are fetched ahead and stretched by HMAC over a counter: however many first requests come
 * at once, none waits.
 */
export async function seed(e: Engine): Promise<void> {
  // Where the platform has no random bytes, this alone has to do; where it has, it does no harm.
  let bytes = sha256(utf8(Array.from(Array(4), Math.random).join() + Date.now()))
  try {
    bytes = sha256(join(bytes, new Uint8Array((await e._ask('getRandomValues', { length: 32 })).randomValues)))
  } catch (_) {}
  let count = 0
  e._random = () => base64(hmac(bytes, utf8('' + count++))).replace(/\W/g, '')
}
