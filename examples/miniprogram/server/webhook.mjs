import { createHmac, timingSafeEqual } from 'node:crypto'
import { answer } from './http.mjs'

// Seconds that a call may be old or ahead (Standard Webhooks, "Timestamp").
const TOLERANCE = 300
const CHINA = '86'

const SAID = {
  wrong: 'Wrong account or password. / 账号或密码错误。',
  noSuchNumber: 'No account of ours has this phone number. / 没有使用此手机号的账号。',
  noSuchUser: 'This account is no longer there. / 该账号已不存在。',
  taken: 'This account belongs to another WeChat user. / 该账号已绑定其他微信。',
}

/** Standard Webhooks, "Verifying webhook authenticity". `key`: what stands in base64 after `whsec_`. */
export function isSigned(key, headers, body, now = Date.now()) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers
  if (!id || !/^\d{1,12}$/.test(timestamp ?? '') || !signatures) return false
  if (Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE) return false
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
  const right = Buffer.from(`v1,${mac}`)
  // There may be several, one a key, while keys are changed.
  return signatures.split(' ').map(one => Buffer.from(one)).some(one => one.length === right.length && timingSafeEqual(one, right))
}

/** The three questions that Yaopai asks a back end (docs/api.md, "The webhook"). */
export class Webhook {
  #key
  #accounts

  constructor(secret, accounts) {
    this.#key = Buffer.from(secret.trim().replace(/^whsec_/, ''), 'base64')
    this.#accounts = accounts
  }

  answer(request, response, body) {
    if (!isSigned(this.#key, request.headers, body)) return answer(response, 401, { error: 'the signature is wrong' })
    const { type, data } = JSON.parse(body)
    if (type === 'resolve') return answer(response, 200, found(this.#accounts.byOpenid(data.openid)))
    if (type === 'bind') return answer(response, 200, this.#bind(data))
    if (type === 'opened') return answer(response, 200, {})
    return answer(response, 400, { error: 'unknown type' })
  }

  /** Whose account it is, by what the person has brought. */
  #bind(data) {
    const [row, otherwise] = this.#proven(data)
    if (!row) return { user: null, message: otherwise }
    if (row.openid !== null && row.openid !== data.openid) return { user: null, message: SAID.taken }
    // A WeChat account stands at one account; else the next resolve might find the one that the person has left.
    const before = this.#accounts.byOpenid(data.openid)
    if (before) before.openid = null
    row.openid = data.openid
    return found(row)
  }

  #proven({ way, form, phone, bind_code: code }) {
    if (way === 'form') return [this.#accounts.byPassword(form.account, form.password), SAID.wrong]
    if (way === 'phone') return [phone.country === CHINA ? this.#accounts.byPhone(phone.pure) : undefined, SAID.noSuchNumber]
    // The shop's own word, which comes back: it was made for this user, and the person has confirmed.
    if (way === 'bind_code') return [this.#accounts.byId(code.user), SAID.noSuchUser]
    return [undefined, SAID.wrong]
  }
}

const found = row => (row ? { user: row.id, claims: { name: row.name } } : { user: null })
