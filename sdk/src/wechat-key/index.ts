/* eslint-disable @typescript-eslint/no-explicit-any */
import { join, unbase64, utf8 } from '../sign/bytes'
import type { KeySource } from '../types'

/**
 * WeChat's key of the user, which never crosses our wire (`wx.getUserCryptoManager`, base library 2.17.3; not in plugins).
 * The session's key is HKDF-SHA256 (RFC 5869) of its 16 bytes; see docs/signatures.md. Where the base library
 * is older, every login fails: give this only where `wx.getUserCryptoManager` is there, and else the server's own key signs.
 */
export function wechatKey(): KeySource {
  let last: Key | undefined
  return {
    async latest(wx, isAnew) {
      if (isAnew || !last || last.expires < Date.now() + 60000) last = await ask(wx)
      return last
    },
  }
}

type Key = Awaited<ReturnType<KeySource['latest']>> & { expires: number }

const ask = (wx: any): Promise<Key> =>
  new Promise((done, fail) => {
    if (!wx.getUserCryptoManager) return fail({ errMsg: 'getUserCryptoManager:fail not supported' })
    wx.getUserCryptoManager().getLatestUserKey({
      fail,
      success({ encryptKey, version, expireTime }: any) {
        const secret = unbase64(encryptKey)
        done({
          version,
          // WeChat's page names no unit: seconds since 1970, milliseconds, or seconds from now, by its size.
          expires: expireTime > 1e11 ? expireTime : expireTime > 1e9 ? expireTime * 1000 : Date.now() + (expireTime || 0) * 1000,
          derive: (sessionId, hmac) =>
            // One block of output: extract, then the first step of expand.
            hmac(hmac(new Uint8Array(32), secret), join(utf8('yaopai hmac-sha256 ' + sessionId), new Uint8Array([1]))),
        })
      },
    })
  })
