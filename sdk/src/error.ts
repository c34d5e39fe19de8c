/**
 * Why something failed. `code` is the server's (docs/errors.md), or one of ours: `network` (no answer of the server's),
 * `platform_login` (the phone gave no code), `login_quota` (too many logins in a minute), `key_refused` (the server answered
 * with another kind of key than was asked for), `malformed_answer`, `abort`, `not_ours` (a URL of none of our hosts).
 */
export interface YaopaiError extends Error {
  /** As the platform's own failures have it: `request:fail session_kicked`. */
  errMsg: string
  code: string
  /** The HTTP status, 0 without an answer. */
  status: number
  /** For the person, in the person's language. */
  message: string
  /** Seconds after which the same may be tried again, where that helps. */
  retryIn?: number
}

const WORDS: Record<string, string> = {
  session_kicked: '已在别处退出登录|You were logged out elsewhere',
  session_replaced: '已在其他设备登录|You logged in on another device',
  session_ended: '已退出登录|You are logged out',
  session_limit: '登录设备过多，请先退出一台|Too many devices: log out on one first',
  user_disabled: '账号已停用|This account is disabled',
  binding_conflict: '该账号已绑定其他用户|Already linked to another account',
  rate_limited: '操作太频繁，请稍后再试|Too often. Try again later',
}

export function errorOf(e: { _zh: boolean }, code: string, status = 0, message?: string, retryIn?: number, call = 'request'): YaopaiError {
  const words = (WORDS[code] || '暂时不可用，请稍后再试|Not available now. Try again later').split('|')
  return Object.assign(new Error(message || words[e._zh ? 0 : 1]), {
    name: 'YaopaiError',
    errMsg: call + ':fail ' + code,
    code,
    status,
    retryIn,
  })
}
