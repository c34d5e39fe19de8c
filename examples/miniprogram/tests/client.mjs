// A phone without a mini program: logs in, signs, and does what it is told. How it signs is docs/signatures.md's own program.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

const document = readFileSync(new URL('../../../docs/signatures.md', import.meta.url), 'utf8')
const program = /```js\n([^]*?)```/.exec(document)[1]
export const { sign } = await import(`data:text/javascript,${encodeURIComponent(program)}`)

const requestId = () => randomBytes(16).toString('hex')

export class Phone {
  #shop
  #person
  app = 'shop'
  session

  constructor(shop, person) {
    this.#shop = shop
    this.#person = person
  }

  async logIn(device) {
    const code = await this.#shop.sim.code(this.#person)
    const body = { app: this.app, code, request_id: requestId(), key: { alg: 'hmac-sha256' }, ...(device && { device }) }
    const answer = await this.send('POST', '/yaopai/v1/session', body, { signed: false })
    if (answer.status !== 201) throw new Error(`no login: ${answer.text}`)
    this.session = { token: answer.json.token, sessionId: answer.json.session_id, secret: answer.json.key.secret }
    return answer.json
  }

  /** Sends a request and reads its answer; `fields` are sent as well, over the signed ones. */
  async send(method, path, data, { signed = true, fields = {}, sent } = {}) {
    const body = data === undefined ? '' : JSON.stringify(data)
    const { host } = new URL(this.#shop.url)
    const signature = signed ? sign(this.session, { method, host, path, query: '', body }, Date.now()) : {}
    const response = await fetch(this.#shop.url + path, {
      method,
      headers: { ...(body && { 'Content-Type': 'application/json' }), ...signature, ...fields },
      ...(method !== 'GET' && { body: sent ?? body }),
    })
    const text = await response.text()
    return { status: response.status, code: response.headers.get('yaopai-code'), cookies: response.headers.getSetCookie(), text, get json() { return JSON.parse(text) } }
  }

  bind(way) {
    return this.send('POST', '/yaopai/v1/binding', { ...way, request_id: requestId() })
  }

  /** A refresh with a fresh code: WeChat vouches anew. */
  async stepUp() {
    const code = await this.#shop.sim.code(this.#person)
    return this.send('POST', '/yaopai/v1/session/refresh', { code, request_id: requestId() })
  }
}
