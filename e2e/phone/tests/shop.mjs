// A back end for the tests: cookies, a socket that echoes, uploads, and paths that show what arrived.

import { createHash } from 'node:crypto'
import http from 'node:http'
import { CLOSE, frame, Frames, TEXT } from '../client/frames.mjs'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Answers `{ url, heard, held, close }`: `heard` are the requests; what came to /hold waits in `held` for a call of its function. */
export async function startShop(sim) {
  const heard = []
  const held = []
  const sockets = []
  const server = http.createServer(async (request, response) => {
    const parts = []
    for await (const part of request) parts.push(part)
    const body = Buffer.concat(parts).toString()
    const { pathname, search } = new URL(request.url, 'http://shop.example')
    heard.push({ method: request.method, path: request.url, headers: request.headers, raw: request.rawHeaders, body })
    const say = (status, value, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(value))
    }
    switch (pathname) {
      case '/login': {
        const { code } = JSON.parse(body)
        const { user } = await sim.call('GET', `code/${code}`)
        return say(200, { user }, { 'Set-Cookie': ['sid=1; Path=/; HttpOnly', 'lang=zh; Expires=Wed, 21 Oct 2037 07:28:00 GMT'] })
      }
      case '/orders': return say(403, { error: 'not_bound' })
      case '/upload': return say(200, body.includes('一个文件') && body.includes('name="about"') ? 'whole' : 'broken', { 'Set-Cookie': ['up=1', 'load=2'] })
      case '/download': return response.end('下载的')
      case '/cookies': return say(200, 'ok', { 'Set-Cookie': ['a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT', 'b=2'], 'X-Some-Thing': 'x' })
      case '/redirect': return say(302, 'away', { location: '/echoed?to=1' })
      case '/bytes': return response.end(Buffer.from([0, 255, 128, 1]))
      case '/hold': return held.push(() => say(200, search))
      default: return say(200, { method: request.method, path: request.url, body, headers: request.headers })
    }
  })
  server.on('upgrade', (request, socket) => {
    heard.push({ method: 'WS', path: request.url, headers: request.headers })
    sockets.push(socket)
    if (request.url === '/refused') return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
    const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64')
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
    const frames = new Frames((opcode, payload) => {
      if (opcode === TEXT) socket.write(frame(TEXT, Buffer.from(`${payload} ${request.headers.cookie}`)))
      if (opcode === CLOSE) socket.end(frame(CLOSE, payload))
    })
    socket.on('data', bytes => frames.take(bytes))
    return socket.on('error', () => {})
  })
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${server.address().port}`, heard, held,
    close: () => new Promise(done => {
      for (const socket of sockets) socket.destroy()
      server.close(done)
      server.closeAllConnections()
    }),
  }
}
