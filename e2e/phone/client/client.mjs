// The WeChat client: what is native on a phone. It answers the runtime's messages; README.md has the protocol.

import { send } from './http.mjs'
import { WebSocketClient } from './websocket.mjs'
import { NotDone, Troubles } from './trouble.mjs'

export class WeChatClient {
  /** `hosts` maps an origin that the app names to the one that is asked; `account` answers for the person. */
  constructor({ appid, version, name, account, hosts = {}, quirks = {}, language = 'zh_CN', entry, store = new Map(), clock = {} }) {
    Object.assign(this, { appid, version, name, account, hosts, quirks, language, entry, store, clock })
    this.troubles = new Troubles()
    this.requests = []
    this.running = new Map()
    this.events = []
    this.first = 1
    this.waiting = new Set()
  }

  get referer() {
    return `https://servicewechat.com/${this.appid}/${this.version}/page-frame.html`
  }

  /** A page begins: whatever an earlier one had under way ends. */
  hello() {
    this.stop()
    this.first += this.events.length
    this.events = []
    return {
      appid: this.appid, envVersion: { 0: 'develop', devtools: 'develop' }[this.version] ?? 'release', version: String(this.version), name: this.name, base: '3.7.12',
      language: this.language, entry: this.entry, quirks: this.quirks, storage: [...this.store.values()], clock: this.clock, last: this.first - 1,
    }
  }

  stop() {
    for (const call of this.running.values()) call.stop()
    this.running.clear()
  }

  /** A batch, in its order. */
  take(messages) {
    for (const message of messages) {
      const { type } = message
      if (type === 'store') this.keep(message)
      else if (type === 'store.clear') this.store.clear()
      else if (type === 'cancel') this.cancel(message.call)
      else if (type === 'socket.send') this.running.get(message.call)?.send?.(message.body)
      else if (type === 'socket.close') this.running.get(message.call)?.close?.(message)
      else if (type === 'request') this.request(message)
      else if (type === 'socket') this.socket(message)
      else if (type === 'scanCode') this.scan(message)
      else this.ask(message)
    }
  }

  keep({ key, value, encrypted = false }) {
    if (value === null) this.store.delete(key)
    else this.store.set(key, { key, value, encrypted })
  }

  cancel(id) {
    this.running.get(id)?.stop()
    this.running.delete(id)
  }

  async ask({ id, type, ...args }) {
    try {
      if (this.troubles.airplane) throw this.troubles.offline()
      const result = await this.account.ask(type, args)
      this.tell({ id, type: 'result', result })
    } catch (error) {
      this.tell({ id, type: 'failure', reason: error.reason ?? error.message, errno: error.errno })
    }
  }

  /** Without a network, too. Who has nothing to scan goes back. */
  scan({ id }) {
    this.tell(this.camera === undefined ? { id, type: 'failure', reason: 'cancel' } : { id, type: 'result', result: { result: this.camera } })
  }

  async request(message) {
    const { id, as, url, method } = message
    const control = new AbortController()
    const entry = { kind: as, method, url, headers: {}, body: message.body, status: undefined, at: Date.now() }
    this.requests.push(entry)
    this.running.set(id, { stop: () => control.abort() })
    try {
      const answer = await this.troubles.around(message, control.signal, () => send({
        ...message, hosts: this.hosts, referer: this.referer, signal: control.signal, sent: headers => { entry.headers = headers },
      }))
      entry.status = answer.status
      entry.answer = answer
      if (this.running.delete(id)) this.tell({ id, type: 'result', result: answer })
    } catch (error) {
      entry.failure = error.reason ?? error.message
      if (error.answer) entry.status = error.answer.status
      if (this.running.delete(id)) this.tell({ id, type: 'failure', reason: error.reason ?? `${error.message}`, errno: error.errno })
    }
  }

  socket(message) {
    const { id, url } = message
    const entry = { kind: 'connectSocket', method: 'GET', url, headers: {}, at: Date.now() }
    this.requests.push(entry)
    const finish = event => {
      entry.status ??= event.status
      if (this.running.delete(id)) this.tell({ id, ...event })
    }
    if (this.troubles.airplane) {
      this.running.set(id, { stop() {} })
      const { reason, errno } = this.troubles.offline()
      return finish({ type: 'failure', reason, errno })
    }
    const socket = new WebSocketClient({ ...message, hosts: this.hosts, referer: this.referer, sent: headers => { entry.headers = headers } })
    this.running.set(id, { stop: () => socket.destroy(), send: body => socket.send(body), close: ({ code, reason }) => socket.close(code, reason), wire: true })
    socket.on('open', headers => {
      entry.status = 101
      this.tell({ id, type: 'open', headers })
    })
    socket.on('message', body => this.tell({ id, type: 'message', body }))
    socket.on('close', ({ code, reason }) => finish({ type: 'result', result: { code, reason } }))
    socket.on('failure', ({ reason, status }) => finish({ type: 'failure', reason, status }))
    return undefined
  }

  /** Every socket breaks, as when a server dies or the phone changes its network. */
  cutSockets() {
    for (const [id, call] of [...this.running].filter(([, one]) => one.wire)) {
      call.stop()
      this.running.delete(id)
      this.tell({ id, type: 'failure', reason: 'connection reset' })
    }
  }

  /** No network from now on, or again. What is under way breaks. */
  airplane(on) {
    this.troubles.airplane = on
    if (on) {
      for (const [id, call] of this.running) {
        call.stop()
        const { reason, errno } = NotDone.lost()
        this.tell({ id, type: 'failure', reason, errno })
      }
      this.running.clear()
    }
    this.tell({ type: 'online', value: !on })
  }

  command(name, value) {
    this.tell({ type: 'command', name, value })
  }

  tell(event) {
    this.events.push(event)
    for (const wake of this.waiting) wake()
  }

  /** Events after that number: at once if there are any, else when there are, or after `patience` ms. */
  async after(number, patience = 20_000) {
    const drop = Math.max(0, number - this.first + 1)
    this.events.splice(0, drop)
    this.first += drop
    if (this.events.length === 0) {
      await new Promise(done => {
        const wake = () => {
          clearTimeout(timer)
          this.waiting.delete(wake)
          done()
        }
        const timer = setTimeout(wake, patience)
        timer.unref()
        this.waiting.add(wake)
      })
    }
    return { last: this.first + this.events.length - 1, events: [...this.events] }
  }
}
