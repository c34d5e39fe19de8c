// An HTTP request as the WeChat client sends it.

import http from 'node:http'
import https from 'node:https'
import zlib from 'node:zlib'
import { NotDone } from './trouble.mjs'

export const AGENT = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x18003230) NetType/WIFI Language/zh_CN'
const REDIRECTS = 20
const MOST = 64 * 1024 * 1024

/** `{ status, headers: [[name, value], …], body: { text } | { base64 } }`. `sent` is told the headers. */
export async function send({ url, method, headers, body, redirect, hosts, referer, signal, sent }) {
  let at = url
  for (let turn = 0; turn <= REDIRECTS; turn += 1) {
    const answer = await once({ url: at, method, headers, body, hosts, referer, signal, sent })
    const location = answer.headers.find(([name]) => name.toLowerCase() === 'location')?.[1]
    if (redirect === 'manual' || !location || ![301, 302, 303, 307, 308].includes(answer.status)) return answer
    at = new URL(location, at).href
    if (answer.status === 303 || (method === 'POST' && answer.status < 303)) {
      method = 'GET'
      body = undefined
    }
  }
  throw NotDone.of(-310, 'ERR_TOO_MANY_REDIRECTS', 600003)
}

function once({ url, method, headers, body, hosts, referer, signal, sent }) {
  const named = new URL(url)
  const { target, path } = route(url, hosts)
  const bytes = body === undefined ? undefined : bytesOf(body)
  const all = [['Host', named.host], ['Connection', 'keep-alive'], ...headers, ['User-Agent', AGENT], ['Referer', referer], ['Accept-Encoding', 'gzip, deflate, br']]
  if (bytes !== undefined || !['GET', 'HEAD', 'OPTIONS'].includes(method)) all.push(['Content-Length', String(bytes?.length ?? 0)])
  sent?.(Object.fromEntries(all.map(([name, value]) => [name.toLowerCase(), value])))
  return new Promise((resolve, reject) => {
    const { request } = target.protocol === 'https:' ? https : http
    const ours = request({ host: target.hostname, port: target.port, path, method, headers: all.flat(), servername: named.hostname, signal })
    ours.once('error', error => reject(broken(error)))
    ours.once('response', answer => {
      const parts = []
      let size = 0
      const pairs = []
      for (let at = 0; at < answer.rawHeaders.length; at += 2) pairs.push([answer.rawHeaders[at], answer.rawHeaders[at + 1]])
      answer.on('data', part => {
        size += part.length
        if (size > MOST) ours.destroy(new Error('too much'))
        parts.push(part)
      })
      answer.once('error', error => reject(broken(error)))
      answer.once('end', () => {
        try {
          const whole = plain(Buffer.concat(parts), answer.headers['content-encoding'])
          resolve({ status: answer.statusCode, headers: pairs, body: bodyOf(whole) })
        } catch (error) {
          reject(broken(error))
        }
      })
    })
    ours.end(bytes)
  })
}

/** Where an origin that the app names is asked, and the path as it is written, which URL would tidy up. */
export function route(url, hosts) {
  const [, origin, path] = /^([a-z]+:\/\/[^/?#]+)([^#]*)/i.exec(url)
  const secure = origin.replace(/^ws/i, 'http')
  return { target: new URL(hosts[origin] ?? hosts[secure] ?? secure), path: path.startsWith('/') ? path : `/${path}` }
}

export function bytesOf(body) {
  return body.text === undefined ? Buffer.from(body.base64, 'base64') : Buffer.from(body.text)
}

export function bodyOf(bytes) {
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) ? { text } : { base64: bytes.toString('base64') }
}

function plain(bytes, encoding) {
  if (encoding === 'gzip') return zlib.gunzipSync(bytes)
  if (encoding === 'deflate') return zlib.inflateSync(bytes)
  if (encoding === 'br') return zlib.brotliDecompressSync(bytes)
  return bytes
}

function broken(error) {
  if (error instanceof NotDone) return error
  if (error.name === 'AbortError') return new NotDone('abort')
  if (error.code === 'ECONNREFUSED') return NotDone.of(-102, 'ERR_CONNECTION_REFUSED', 600003)
  if (error.code === 'ENOTFOUND') return NotDone.of(-105, 'ERR_NAME_NOT_RESOLVED', 600003)
  if (error.code === 'ECONNRESET') return NotDone.of(-101, 'ERR_CONNECTION_RESET', 600003)
  return new NotDone(`errcode:-1 ${error.message}`, 600003)
}
