// Serves the page of a phone and the protocol beside it, to whoever knows the address.

import { randomBytes } from 'node:crypto'
import http from 'node:http'

const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', svg: 'image/svg+xml', webp: 'image/webp', txt: 'text/plain; charset=utf-8' }
const MOST = 64 * 1024 * 1024

/** `files`: name to content. Answers `{ url, close }`. */
export async function serve(client, files) {
  const secret = `/${randomBytes(16).toString('hex')}/`
  const server = http.createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://phone')
    if (!pathname.startsWith(secret)) return end(response, 404, 'no such phone')
    const path = pathname.slice(secret.length) || 'index.html'
    if (path === 'client/hello') return json(response, client.hello())
    if (path === 'client/events') return json(response, await client.after(Number(searchParams.get('after'))))
    if (path === 'client/calls' && request.method === 'POST') {
      const parts = []
      let size = 0
      for await (const part of request) {
        parts.push(part)
        size += part.length
        if (size > MOST) return end(response, 413, 'too much')
      }
      client.take(JSON.parse(Buffer.concat(parts)))
      return end(response, 204, '')
    }
    const content = files.get(decodeURIComponent(path))
    if (content === undefined) return end(response, 404, 'no such file')
    response.writeHead(200, { 'content-type': TYPES[path.split('.').at(-1)] ?? 'application/octet-stream', 'cache-control': 'no-store' })
    return response.end(content)
  })
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${server.address().port}${secret}`,
    close: () => new Promise(done => {
      client.stop()
      server.close(done)
      server.closeAllConnections()
    }),
  }
}

function json(response, value) {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(value))
}

function end(response, status, text) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(text)
}
