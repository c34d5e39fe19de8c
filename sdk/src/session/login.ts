import { errorOf } from '../error'
import { call } from '../request/call'
import { apart, sleep } from '../util'
import { tell } from './end'
import { keep, refused, type Engine, type State } from './state'
import type { KeySource } from '../types'

/** The one login under way, for any number of callers. `isWanted`: by the person or the program now, whatever was before. */
export async function login(e: Engine, isWanted?: boolean): Promise<State> {
  if (isWanted) {
    e._ended = undefined
    e._pause = 0
  }
  const left = e._pause - Date.now()
  // (A clock that was set back must not stop logins for good.)
  if (!e._state && !e._opening && left > 0 && left <= 60000) throw e._failed
  // (What is being opened may be there already, and not be for requests.)
  return e._opening || e._state || (e._opening = open(e))
}

async function open(e: Engine): Promise<State> {
  try {
    const state = await e._exchange(e)
    e._failures = 0
    return state
  } catch (error: any) {
    // No storm while logins fail: they are tried again after 1 s, 2 s … at most a minute.
    e._pause = Date.now() + Math.min(1000 << Math.min(e._failures++, 9), 60000)
    e._failed = error
    // 403 and 409 are for the person: disabled, too many devices, bound to somebody else.
    if (/^40[39]/.test(error.status)) tell(e, error)
    throw error
  } finally {
    e._opening = undefined
  }
}

export async function exchange(e: Engine): Promise<State> {
  const { app, device, key } = e._options
  for (let refusals = 0, outages = 0; ; ) {
    const body = {
      app,
      code: await platformCode(e),
      request_id: e._random!(),
      key: key
        ? { wechat: { version: (await platformKey(e, refusals > 0))!.version } }
        : e._mode
          ? { alg: 'hmac-sha256' }
          : undefined,
      device,
      env_version: e._envVersion,
    }
    const answer = await call(e, 'POST', '/session', body, null)
    const code = answer._code
    if (answer._status === 201) return keep(e, answer)
    if (/^(code_|login_r)/.test(code) && !refusals++) continue
    const wait = answer._retry || 2
    if (!/^platform_(busy|un)/.test(code) || outages++ > 2 || wait > 10) throw refused(e, answer)
    await sleep(wait * 1000)
  }
}

/**
 * A code of `wx.login`: at most four a second and ten a minute. WeChat counts them by user and by day, and answers too many
 * with 45011.
 */
export async function platformCode(e: Engine): Promise<string> {
  const { _codes: codes } = e
  for (let failures = 0; ; ) {
    if (apart(codes[9]) < 60000) throw errorOf(e, 'login_quota')
    await sleep(Math.min(codes[0] + 250 - Date.now() || 0, 250))
    codes.unshift(Date.now())
    try {
      // Alipay's names, from its documentation; not tried: `getAuthCode` answers `authCode`.
      const { code, authCode } = await e._ask(e._had.login ? 'login' : 'getAuthCode', { scopes: 'auth_base' })
      return code || authCode
    } catch (_) {
      if (failures++ > 1) throw errorOf(e, 'platform_login')
      await sleep(1000 << failures)
    }
  }
}

/** The platform's key, if it signs. `isAnew`: the server wants a newer one. */
export const platformKey = async (e: Engine, isAnew?: boolean): Promise<PlatformKey | undefined> =>
  e._options.key && e._options.key.latest(e._global, isAnew)

type PlatformKey = Awaited<ReturnType<KeySource['latest']>>
