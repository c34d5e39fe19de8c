// wx.connectSocket: five at a time.

import { answer, failed, Failure } from './call.mjs'
import { pack, unpack } from './bytes.mjs'

const MOST = 5

export class Sockets {
  constructor({ link, clock }) {
    Object.assign(this, { link, clock })
    this.open = new Set()
    this.last = undefined
  }

  api() {
    const wx = {
      connectSocket: (options = {}) => (this.last = this.connect(options)),
      sendSocketMessage: options => this.last?.send(options),
      closeSocket: options => this.last?.close(options),
    }
    for (const event of ['Open', 'Message', 'Close', 'Error']) wx[`onSocket${event}`] = run => this.last?.[`on${event}`](run)
    return wx
  }

  interrupt() {
    for (const socket of [...this.open]) socket.ended({ code: 1006, reason: 'interrupted' })
  }

  connect(options) {
    const listeners = { Open: [], Message: [], Close: [], Error: [] }
    const tell = (event, detail) => this.clock.deliver(() => { for (const run of [...listeners[event]]) run(detail) })
    const socket = { state: 0, call: undefined }
    socket.ended = (detail, error) => {
      if (socket.state === 3) return
      socket.state = 3
      this.open.delete(socket)
      if (socket.call !== undefined) this.link.post({ type: 'cancel', call: socket.call })
      if (error) tell('Error', { errMsg: error })
      tell('Close', detail)
    }
    const task = {
      send: (sent = {}) => {
        const fine = socket.state === 1
        if (fine) this.link.post({ type: 'socket.send', call: socket.call, body: pack(sent.data) })
        this.clock.deliver(() => answer(sent, fine, fine ? { errMsg: 'sendSocketMessage:ok' } : failed('sendSocketMessage', new Failure('SocketTask.readyState is not OPEN'))))
      },
      close: (sent = {}) => {
        this.link.post({ type: 'socket.close', call: socket.call, code: sent.code ?? 1000, reason: sent.reason ?? '' })
        socket.ended({ code: sent.code ?? 1000, reason: sent.reason ?? '' })
        this.clock.deliver(() => answer(sent, true, { errMsg: 'closeSocket:ok' }))
      },
      get readyState() { return socket.state },
      CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3,
    }
    for (const event of Object.keys(listeners)) {
      task[`on${event}`] = run => { listeners[event].push(run) }
      task[`off${event}`] = run => { listeners[event] = listeners[event].filter(one => run && one !== run) }
    }
    const refused = !/^wss?:\/\/[^/?#]+/.test(options.url) ? `invalid url "${options.url}"` : this.open.size >= MOST ? 'the number of sockets is at its limit' : undefined
    this.clock.deliver(() => answer(options, !refused, refused ? failed('connectSocket', new Failure(refused)) : { errMsg: 'connectSocket:ok', socketTaskId: 0 }))
    if (refused) return task
    this.open.add(socket)
    const headers = Object.entries(options.header ?? {}).filter(([name]) => name.toLowerCase() !== 'referer').map(([name, value]) => [name, String(value)])
    const call = this.link.call('socket', { url: options.url, headers, protocols: options.protocols ?? [] }, (type, detail) => {
      if (type === 'open') {
        socket.state = 1
        tell('Open', { header: Object.fromEntries(detail.headers) })
      }
      if (type === 'message') tell('Message', { data: detail.body.text ?? unpack(detail.body) })
    })
    socket.call = call.id
    call.then(({ code, reason }) => {
      socket.call = undefined
      socket.ended({ code, reason })
    }, error => {
      socket.call = undefined
      socket.ended({ code: 1006, reason: 'abnormal closure' }, error.reason)
    })
    return task
  }
}
