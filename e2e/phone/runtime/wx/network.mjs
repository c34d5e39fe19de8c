// wx.request, uploadFile and downloadFile: ten at a time between them, cut off in the background.

import { answer, failed, Failure } from './call.mjs'
import { join, pack, text, unpack, utf8 } from './bytes.mjs'
import { body, query } from './encode.mjs'
import { cookiesOf, headerOf } from './headers.mjs'

const SLOTS = 10
const TIMEOUT = 60_000

export class Network {
  constructor({ link, clock, quirks, files }) {
    Object.assign(this, { link, clock, quirks, files })
    this.waiting = []
    this.running = new Set()
  }

  api() {
    return {
      request: options => this.start('request', options, () => this.request(options)),
      uploadFile: options => this.start('uploadFile', options, () => this.upload(options)),
      downloadFile: options => this.start('downloadFile', options, () => this.download(options)),
    }
  }

  /** The app was frozen: what is under way ends. The app is told when it is back. */
  interrupt() {
    for (const job of [...this.waiting, ...this.running]) job.end(new Failure('interrupted', 600003))
  }

  /** The task comes at once; everything else comes later. */
  start(name, options, prepare) {
    const job = { name, listeners: { onHeadersReceived: [], onProgressUpdate: [], onChunkReceived: [] }, done: false }
    job.end = (error, result) => {
      if (job.done) return
      job.done = true
      this.clock.clear(job.timer)
      if (job.call !== undefined) this.link.post({ type: 'cancel', call: job.call })
      this.running.delete(job)
      this.waiting = this.waiting.filter(other => other !== job)
      this.clock.deliver(() => answer(options, !error, error ? failed(name, error) : { ...result, errMsg: `${name}:ok` }))
      this.fill()
    }
    // A mistake in the options is told as any other failure, after the task is there.
    Promise.resolve().then(() => {
      if (job.done) return
      try {
        Object.assign(job, prepare())
        this.waiting.push(job)
        this.fill()
      } catch (error) {
        job.end(error)
      }
    })
    const task = { abort: () => job.end(new Failure('abort')) }
    for (const [event, list] of Object.entries(job.listeners)) {
      task[event] = run => { list.push(run) }
      task[event.replace('on', 'off')] = run => { list.splice(0, list.length, ...list.filter(one => run && one !== run)) }
    }
    return task
  }

  fill() {
    while (this.running.size < SLOTS && this.waiting.length > 0) this.run(this.waiting.shift())
  }

  async run(job) {
    this.running.add(job)
    const { timeout, finish, ...message } = job.message
    job.timer = this.clock.set(() => job.end(new Failure('timeout', 5)), timeout, { own: true })
    try {
      const call = this.link.call('request', { as: job.name, ...message })
      job.call = call.id
      const received = await call
      job.call = undefined
      if (job.done) return
      const header = headerOf(received.headers, this.quirks)
      const cookies = cookiesOf(received.headers, this.quirks)
      const bytes = unpack(received.body)
      this.tell(job, 'onHeadersReceived', { header, cookies, statusCode: received.status })
      this.tell(job, 'onProgressUpdate', { progress: 100, totalBytesWritten: bytes.byteLength, totalBytesExpectedToWrite: bytes.byteLength })
      job.end(undefined, finish({ statusCode: received.status, header, cookies }, bytes))
    } catch (error) {
      job.call = undefined
      job.end(error)
    }
  }

  tell(job, event, detail) {
    for (const run of [...job.listeners[event]]) this.clock.deliver(() => run(detail))
  }

  request(options) {
    const method = String(options.method ?? 'GET').toUpperCase()
    const header = sendable(options.header)
    const type = header.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? 'application/json'
    let url = address(options.url)
    let sent
    if (method === 'GET' || method === 'HEAD') url = query(url, options.data)
    else sent = body(options.data, type)
    return {
      message: {
        url, method, headers: withType(header, type), body: pack(sent), redirect: options.redirect ?? 'follow', timeout: options.timeout ?? TIMEOUT,
        finish: (result, bytes) => ({ ...result, data: read(options, bytes) }),
      },
    }
  }

  upload(options) {
    const file = this.files.get(options.filePath)
    if (file === undefined) throw new Failure(`file not found: ${options.filePath}`)
    const boundary = `----WebKitFormBoundary${Math.random().toString(36).slice(2).padEnd(16, '0')}`
    const parts = []
    for (const [name, value] of Object.entries(options.formData ?? {})) {
      parts.push(utf8(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`))
    }
    const fileName = options.fileName ?? String(options.filePath).split('/').at(-1)
    parts.push(utf8(`--${boundary}\r\nContent-Disposition: form-data; name="${options.name}"; filename="${fileName}"\r\nContent-Type: application/octet-stream\r\n\r\n`))
    parts.push(file, utf8(`\r\n--${boundary}--\r\n`))
    const header = sendable(options.header).filter(([name]) => name.toLowerCase() !== 'content-type')
    return {
      message: {
        url: address(options.url), method: 'POST', headers: [...header, ['content-type', `multipart/form-data; boundary=${boundary}`]],
        body: pack(join(parts)), redirect: 'follow', timeout: options.timeout ?? TIMEOUT,
        // No header here: an upload shows it to onHeadersReceived alone.
        finish: ({ statusCode }, bytes) => ({ statusCode, data: text(bytes) }),
      },
    }
  }

  download(options) {
    return {
      message: {
        url: address(options.url), method: 'GET', headers: withType(sendable(options.header), 'application/json'), redirect: 'follow', timeout: options.timeout ?? TIMEOUT,
        finish: ({ statusCode, header }, bytes) => {
          const path = this.files.add(bytes, options.filePath)
          return { statusCode, header, dataLength: bytes.byteLength, [options.filePath ? 'filePath' : 'tempFilePath']: path }
        },
      },
    }
  }
}

function read({ dataType = 'json', responseType = 'text' }, bytes) {
  if (responseType === 'arraybuffer') return bytes
  const received = text(bytes)
  if (dataType !== 'json') return received
  try {
    return JSON.parse(received)
  } catch {
    return received
  }
}

function address(url) {
  if (!/^https?:\/\/[^/?#]+/.test(url)) throw new Failure(`invalid url "${url}"`, 600009)
  return url
}

/** An app can't set a Referer; what it sets to nothing isn't sent. */
function sendable(header = {}) {
  return Object.entries(header)
    .filter(([name, value]) => name.toLowerCase() !== 'referer' && value !== undefined && value !== null)
    .map(([name, value]) => [name, String(value)])
}

function withType(header, type) {
  return header.some(([name]) => name.toLowerCase() === 'content-type') ? header : [...header, ['content-type', type]]
}
