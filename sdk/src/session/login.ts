import { errorOf } from '../error'
import { sleep } from '../platform/native'
import { carry } from '../request/carry'
import { call } from '../request/call'
import { field } from '../request/headers'
import { keep, refused, type Engine, type State } from './state'
import { tell } from './end'

/** The one login under way, for any number of callers. `asked`: the person, or the program, wants it now, whatever was before. */
export function login(e: Engine, asked?: boolean): Promise<State> {
  if (asked) {
    e._ended = undefined
    e._pause = 0
  }
  if (e._state) return Promise.resolve(e._state)
  if (!e._opening) {
    const over = (): void => {
      e._opening = undefined
    }
    e._opening = open(e).then(
      state => {
        over()
        e._failures = 0
        return state
      },
      error => {
        over()
        // No storm while logins fail: they are tried again after 1 s, 2 s … at most a minute.
        e._pause = Date.now() + Math.min(1000 << e._failures++, 60000)
        e._failed = error
        if (/^(user_disabled|session_limit|platform_blocked|binding_conflict)$/.test(error.code)) tell(e, error.code)
        throw error
      },
    )
  }
  return e._opening
}

async function open(e: Engine): Promise<State> {
  const { app, device, key } = e._options
  if (Date.now() < e._pause) throw e._failed
  let refusals = 0
  let outages = 0
  for (;;) {
    const answer = await carry(
      e,
      call(e, 'POST', '/session', null, {
        app,
        code: await platformCode(e),
        request_id: e._random(),
        key: key ? { wechat: { version: (await platformKey(e, refusals > 0))!.version } } : e._mode ? { alg: 'hmac-sha256' } : undefined,
        device,
        env_version: e._envVersion,
      }),
    )
    const code = answer._code
    if (answer._status === 201) return keep(e, answer)
    if (/^(code_|login_required)/.test(code) && !refusals++) continue
    const wait = +field(answer._header, 'retry-after') || 2
    if (!/^platform_(busy|unavailable)$/.test(code) || outages++ > 2 || wait > 10) throw refused(e, answer)
    await sleep(wait * 1000)
  }
}

/**
 * A code of `wx.login`: at most four a second and ten a minute. WeChat counts them by user and by day, and answers too many
 * with 45011.
 */
export async function platformCode(e: Engine): Promise<string> {
  const codes = e._codes
  for (let failures = 0; ; ) {
    const wait = (codes[codes.length - 4] || 0) + 1000 - Date.now()
    // A clock that was set back must not stop logins for good.
    if (wait > 0 && wait <= 1000) await sleep(wait)
    if (codes.length > 9 && Math.abs(Date.now() - codes[codes.length - 10]) < 60000) throw errorOf(e._zh, 'login_quota')
    codes.push(Date.now())
    try {
      // Alipay's names, from its documentation: `getAuthCode` answers `authCode`.
      const { code, authCode } = e._native._get('login')
        ? await e._native._ask('login')
        : await e._native._ask('getAuthCode', { scopes: 'auth_base' })
      if (code || authCode) return code || authCode
    } catch (_) {}
    if (failures++ > 1) throw errorOf(e._zh, 'platform_login')
    await sleep(1000 << failures)
  }
}

/** The platform's key, the latest one if that at hand is about to expire or `anew`. */
export async function platformKey(e: Engine, anew?: boolean): Promise<Engine['_platformKey']> {
  const source = e._options.key
  if (source && (anew || !e._platformKey || e._platformKey.expires < Date.now() + 60000)) {
    e._platformKey = await source.latest(e._native._global)
  }
  return e._platformKey
}
