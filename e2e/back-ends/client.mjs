import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

/** A client without cookies, as `wx.request` is: what it shows is its token, and what it is answered it doesn't keep. */
export class Client {
  #server
  #code
  #token

  /** `server`: the public listener's URL. `code`: gives what wx.login would. */
  constructor(server, code) {
    this.#server = server
    this.#code = code
  }

  /** Opens a session; what was before is forgotten. */
  async login() {
    this.#token = undefined
    this.#granted(await this.#api('POST', 'session', { app: 'shop', code: await this.#code(), request_id: randomUUID() }))
  }

  async bind(account, password) {
    this.#granted(await this.#api('POST', 'binding', { way: 'form', form: { account, password }, request_id: randomUUID() }))
  }

  /** A new secret for the same session. */
  async refresh() {
    this.#granted(await this.#api('POST', 'session/refresh', { request_id: randomUUID() }))
  }

  /** The same, with WeChat's word that it is still the same account. */
  async stepUp() {
    this.#granted(await this.#api('POST', 'session/refresh', { request_id: randomUUID(), code: await this.#code() }))
  }

  logout() {
    return this.#api('DELETE', 'session')
  }

  /** A request to the back end. Its answer must have no cookie. */
  async request(method, path, headers) {
    const response = await this.#send(method, path, undefined, headers)
    const text = await response.text()
    assert.equal(response.headers.get('set-cookie'), null, `${method} ${path}`)
    return { status: response.status, body: text && JSON.parse(text), code: response.headers.get('yaopai-code') }
  }

  #granted({ token }) {
    if (token) this.#token = token
  }

  async #api(method, path, body) {
    const response = await this.#send(method, `/yaopai/v1/${path}`, body)
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return text ? JSON.parse(text) : {}
  }

  #send(method, path, body, headers) {
    return fetch(this.#server + path, {
      method,
      headers: { ...headers, ...(this.#token && { Authorization: `Bearer ${this.#token}` }), ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
  }
}
