// A WebSocket as the WeChat client opens it: with the app's headers, which browsers don't allow.

import { createHash, randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { BINARY, CLOSE, closing, frame, Frames, PING, PONG, TEXT } from './frames.mjs'
import { AGENT, bytesOf, route } from './http.mjs'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Emits `open` (headers), `message` (a body), `close` ({ code, reason }) or `failure` ({ reason, status }). */
export class WebSocketClient extends EventEmitter {
  constructor({ url, headers, protocols, hosts, referer, sent }) {
    super()
    const { target, path } = route(url, hosts)
    const key = randomBytes(16).toString('base64')
    const all = [
      ['Host', new URL(url).host], ['Connection', 'Upgrade'], ['Upgrade', 'websocket'], ['Sec-WebSocket-Version', '13'], ['Sec-WebSocket-Key', key],
      ...(protocols.length > 0 ? [['Sec-WebSocket-Protocol', protocols.join(', ')]] : []),
      ...headers, ['User-Agent', AGENT], ['Referer', referer],
    ]
    sent(Object.fromEntries(all.map(([name, value]) => [name.toLowerCase(), value])))
    const { request } = target.protocol === 'https:' ? https : http
    this.request = request({ host: target.hostname, port: target.port, path, headers: all.flat(), servername: new URL(url).hostname })
    this.request.once('error', error => this.fail(`connect error: ${error.code ?? error.message}`))
    this.request.once('response', answer => {
      answer.resume()
      this.fail(`Invalid HTTP status. ${answer.statusCode}`, answer.statusCode)
    })
    this.request.once('upgrade', (answer, socket, head) => {
      const expected = createHash('sha1').update(key + GUID).digest('base64')
      if (answer.headers['sec-websocket-accept'] !== expected) {
        socket.destroy()
        return this.fail('Invalid Sec-WebSocket-Accept')
      }
      this.run(socket, head)
      const pairs = []
      for (let at = 0; at < answer.rawHeaders.length; at += 2) pairs.push([answer.rawHeaders[at], answer.rawHeaders[at + 1]])
      this.emit('open', pairs)
      return undefined
    })
    this.request.end()
  }

  run(socket, head) {
    this.wire = socket
    const frames = new Frames((opcode, payload) => {
      if (opcode === PING) socket.write(frame(PONG, payload, true))
      else if (opcode === CLOSE) this.end(payload.length >= 2 ? payload.readUInt16BE(0) : 1005, payload.subarray(2).toString())
      else if (opcode === TEXT) this.emit('message', { text: payload.toString() })
      else if (opcode === BINARY) this.emit('message', { base64: payload.toString('base64') })
    })
    socket.on('data', bytes => frames.take(bytes))
    socket.once('close', () => this.end(1006, ''))
    socket.once('error', () => this.end(1006, ''))
    if (head.length > 0) frames.take(head)
  }

  send(body) {
    this.wire?.write(frame(body.text === undefined ? BINARY : TEXT, bytesOf(body), true))
  }

  close(code = 1000, reason = '') {
    this.wire?.write(frame(CLOSE, closing(code, reason), true))
    this.end(code, reason)
  }

  destroy() {
    this.ended = true
    this.request.destroy()
    this.wire?.destroy()
  }

  end(code, reason) {
    if (this.ended) return
    this.ended = true
    this.wire.end()
    this.emit('close', { code, reason })
  }

  fail(reason, status) {
    if (this.ended) return
    this.ended = true
    this.emit('failure', { reason, status })
  }
}
