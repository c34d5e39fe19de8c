// As much of `wx` as the club's mini program and the library need, over Node's http, and a memory of what was answered.

import { randomBytes } from 'node:crypto'
import http from 'node:http'

// As many as a phone keeps open to one host.
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 })

/** Where the mini program believes its server to be. */
const ORIGIN = 'http://127.0.0.1:8480'

/** One phone. `server`: the URL that stands behind the mini program's; `yaopai`: for the library's calls. `code`: gives what WeChat would. */
export function phoneOf({ server, yaopai = server, code }) {
  const phone = {
    /** The phone's clock less the true one, in milliseconds. */
    skew: 0,
    logins: 0,
    /** The calls that are not answered yet: since when, by their names. */
    pending: new Map(),
    get underWay() { return phone.pending.size },
    /** Whether the person is bound; noted with each request. */
    isBound: () => false,
    /** Told of all answers to the mini program's own requests: `{ path, wasBound, status, code, data }`, or `{ …, failed }`. */
    onAnswer: () => {},
    /** The last of them, by path; `failed`: what a function of the platform failed with last. */
    last: {},
    /** Told what the person is shown: `{ toast }`, `{ page }`, `{ modal }`. The person looks at it, and the test. */
    onShown: () => {},
    onSeen: () => {},
  }
  phone.waits = () => [...phone.pending].map(([call, since]) => `${call.description} for ${Date.now() - since} ms`).join(', ') || 'and nothing is under way'
  const storage = new Map()
  const show = what => { phone.onSeen(what); phone.onShown(what) }
  const answering = (body, name = body.name) => async (options = {}) => {
    const call = Symbol(name)
    phone.pending.set(call, Date.now())
    const [how, result] = await Promise.resolve(options).then(body).then(
      result => ['success', result],
      error => { phone.last.failed = error.message; return ['fail', { errMsg: error.message }] },
    )
    options[how]?.(result)
    phone.pending.delete(call)
  }

  function request(options) {
    const { url, method = 'GET', header = {}, data, success, fail } = options
    const { pathname, search } = new URL(url.replace(ORIGIN, server))
    const body = data === undefined ? undefined : typeof data === 'string' ? data : JSON.stringify(data)
    const isLibrarys = pathname.startsWith('/yaopai/')
    const wasBound = phone.isBound()
    const call = Symbol(`${method} ${pathname}`)
    let isOver = false
    const done = answer => {
      if (isOver) return false
      isOver = true
      if (isLibrarys) return true
      phone.last[pathname] = { path: pathname, wasBound, ...answer }
      phone.onAnswer(phone.last[pathname])
      return true
    }
    let sent
    const send = () => {
      sent = http.request({
        host: '127.0.0.1', port: new URL(isLibrarys ? yaopai : server).port, agent, method, path: pathname + search,
        headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...header, Host: new URL(ORIGIN).host, ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }) },
      }, response => {
        const parts = []
        response.on('data', part => parts.push(part))
        response.once('error', lost)
        response.once('end', () => {
          const text = Buffer.concat(parts).toString()
          const value = text && JSON.parse(text)
          if (!done({ status: response.statusCode, code: response.headers['yaopai-code'], data: value })) return
          const fields = Object.fromEntries(Object.entries(response.headers).map(([name, field]) => [name, Array.isArray(field) ? field.join(', ') : field]))
          success?.({ statusCode: response.statusCode, header: fields, data: value, errMsg: 'request:ok' })
          phone.pending.delete(call)
        })
      })
      // The server closes a connection that was idle for 20 s, maybe just when it is used again. A phone's network stack then takes
      // another one by itself, as nothing was answered (Chromium: HttpNetworkTransaction::ShouldResendRequest).
      sent.once('error', error => (sent.reusedSocket && /^(ECONNRESET|EPIPE)$/.test(error.code) && !isOver ? send() : lost(error)))
      sent.end(body)
    }
    const lost = error => {
      if (!done({ failed: error.message })) return
      fail?.({ errMsg: `request:fail ${error.message}` })
      phone.pending.delete(call)
    }
    phone.pending.set(call, Date.now())
    send()
    return { abort: () => sent.destroy() }
  }

  phone.wx = {
    request,
    uploadFile() {}, downloadFile() {}, connectSocket() {},
    login: answering(async () => (phone.logins++, { code: await code() }), 'wx.login'),
    getStorage: answering(({ key }) => {
      if (!storage.has(key)) throw new Error('getStorage:fail data not found')
      return { data: storage.get(key) }
    }),
    setStorage: answering(({ key, data }) => void storage.set(key, data)),
    removeStorage: answering(({ key }) => void storage.delete(key)),
    getRandomValues: answering(({ length }) => ({ randomValues: new Uint8Array(randomBytes(length)).buffer })),
    showModal: answering(({ content }) => (show({ modal: content }), {})),
    showToast: ({ title }) => show({ toast: title }),
    navigateTo: answering(({ url }) => show({ page: url })),
    navigateBack: answering(() => show({ page: 'back' })),
  }
  return phone
}

export const closeConnections = () => agent.destroy()
