// What WeChat knows of a person, from `yaopai sim`'s control API.

import { NotDone } from './trouble.mjs'

export class SimulatedAccount {
  /** `sim` is `{ url, token }`. */
  constructor({ sim, appid, person }) {
    Object.assign(this, { sim, appid, person })
  }

  async ask(type) {
    const who = { app: this.appid, user: this.person }
    switch (type) {
      case 'login':
        return { code: (await this.post('code', who)).code }
      case 'checkSession':
        if ((await this.post('session-key', who)).session_key === null) throw new NotDone('session time out, need relogin')
        return {}
      case 'userInfo':
        return this.post('encrypted-data', { ...who, data: 'user_info' })
      case 'weRunData': {
        const { encryptedData, iv } = await this.post('encrypted-data', { ...who, data: { custom: { stepInfoList: steps() } } })
        return { encryptedData, iv }
      }
      case 'userKey': {
        const key = await this.post('user-key', who)
        return { encryptKey: key.encrypt_key, iv: key.iv, version: key.version, expireTime: key.expire_time }
      }
      case 'phoneNumber.show': {
        const { phone } = await this.call('GET', `users/${encodeURIComponent(this.person)}`)
        return { masked: `${phone.slice(0, 3)}****${phone.slice(-4)}` }
      }
      case 'phoneNumber': {
        const { code } = await this.post('phone-code', who)
        // The old form comes with it, if there is a session_key to seal it with.
        const sealed = await this.post('encrypted-data', { ...who, data: 'phone' }).catch(() => ({}))
        return { code, encryptedData: sealed.encryptedData, iv: sealed.iv }
      }
      default:
        throw new NotDone(`no such call: ${type}`)
    }
  }

  post(path, body) {
    return this.call('POST', path, body)
  }

  async call(method, path, body) {
    const answer = await fetch(`${this.sim.url}/_sim/${path}`, {
      method, headers: { authorization: `Bearer ${this.sim.token}`, ...(body ? { 'content-type': 'application/json' } : {}) }, body: body && JSON.stringify(body),
    })
    const told = await answer.json()
    if (!answer.ok) throw new NotDone(`${told.error}: ${told.message}`)
    return told
  }
}

const DAY = 86_400
/** Of today; the days before it have one step less each. */
const STEPS = 8042

/** As WeChat counts them: a month, today last, each day by its midnight in China. */
function steps() {
  const now = Math.floor(Date.now() / 1000)
  const today = now - ((now + 8 * 3600) % DAY)
  return Array.from({ length: 31 }, (_, n) => ({ timestamp: today - (30 - n) * DAY, step: STEPS - 30 + n }))
}

/** A phone without WeChat behind it. */
export class NoAccount {
  async ask() {
    throw new NotDone('system error: no simulator')
  }
}
