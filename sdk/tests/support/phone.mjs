// A mini program's logic layer without WeChat: a bare context without what phones hide, a `wx` of functions, one server.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { randomBytes } from 'node:crypto'
import vm from 'node:vm'
import { Clock } from './clock.mjs'
import { MACROTASK } from './macrotask.mjs'
import { Server, shop } from './server.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = process.env.YAOPAI_SDK_DIST || `${root}/miniprogram_dist`
const HIDDEN = ['BigInt', 'BigInt64Array', 'BigUint64Array', 'Proxy', 'WebAssembly', 'eval', 'Atomics', 'SharedArrayBuffer', 'WeakRef', 'console']

export class Phone {
  constructor(options = {}) {
    this.clock = options.clock || new Clock()
    this.server = options.server || new Server(this.clock, options)
    this.storage = options.storage || new Map()
    this.skew = options.phoneSkew || 0
    this.latency = options.latency ?? 20
    this.calls = {}
    this.modals = []
    this.pages = [{ route: 'pages/home/home', options: {} }]
    this.faults = []
    this.foreign = []
    this.passed = []
    this.sockets = []
    this.options = options
    this.wx = this.makeWx()
    if (options.wx) options.wx(this.wx, this)
    this.boot()
  }

  boot() {
    const { clock } = this
    const phone = this
    // Of a process that is gone nothing runs any more; what it has sent still arrives.
    const setTimeout = (call, ms) => clock.setTimeout(() => this.isGone || call(), ms)
    const context = vm.createContext({ setTimeout, clearTimeout: clock.clearTimeout, getCurrentPages: () => this.pages }, {
      codeGeneration: { strings: false, wasm: false },
    })
    context.__now = () => clock.time + phone.skew
    vm.runInContext('{ const now = __now; delete globalThis.__now; Date.now = () => now() }', context)
    for (const name of HIDDEN) vm.runInContext(`delete globalThis.${name}`, context)
    if (this.options.macrotask) vm.runInContext(MACROTASK, context)
    if (!this.options.noGlobal) context[this.options.globalName || 'wx'] = this.wx
    this.context = context
    this.load = file => {
      const module = { exports: {} }
      const code = this.options.code || readFileSync(`${dist}/${file}.js`, 'utf8')
      vm.runInContext(`(function (module, exports) {${code}\n})`, context, { filename: `${file}.js` })(module, module.exports)
      return module.exports
    }
    this.yaopai = this.load('index')
  }

  /** The mini program is closed and opened again: only the storage is left. */
  restart() {
    this.isGone = true
    return new Phone({ ...this.options, clock: this.clock, server: this.server, storage: this.storage, phoneSkew: this.skew })
  }

  count(name) {
    return this.calls[name] || 0
  }

  /** What the phone does with the next request whose URL matches: `unsent`, `lost` (done, but no answer), `slow` with ms,
   * `twice`: a copy arrives ms later. */
  fault(match, kind, more = {}) {
    this.faults.push({ match, kind, ...more })
  }

  makeWx() {
    const phone = this
    const { clock } = this
    const later = (call, ms = 0) => clock.setTimeout(call, ms)
    const count = name => (phone.calls[name] = (phone.calls[name] || 0) + 1)
    const answering = (name, body) => (options = {}) => {
      count(name)
      later(() => {
        if (phone.isGone) return
        let result
        try {
          result = body(options)
        } catch (error) {
          if (options.fail) options.fail({ errMsg: `${name}:fail ${error.message}` })
          if (options.complete) options.complete({ errMsg: `${name}:fail ${error.message}` })
          return
        }
        if (options.success) options.success(result)
        if (options.complete) options.complete(result)
      }, name === 'setStorage' ? phone.slowStorage : 0)
    }
    const send = kind => options => {
      count(kind)
      const listeners = []
      let isOver = false
      const finish = (how, result) => {
        if (isOver) return
        isOver = true
        if (options[how]) options[how](result)
        if (options.complete) options.complete(result)
      }
      const i = phone.faults.findIndex(f => options.url.includes(f.match))
      const fault = i >= 0 ? phone.faults.splice(i, 1)[0] : {}
      const method = kind === 'uploadFile' ? 'POST' : kind === 'downloadFile' ? 'GET' : (options.method || 'GET').toUpperCase()
      const at = phone.latency + (fault.kind === 'slow' ? fault.ms : 0)
      const headers = { ...options.header }
      if (kind === 'uploadFile') headers['x-is-upload'] = '1'
      // What goes on as it was given isn't marked as the library's, and the platform may do with it what it does.
      const isOurs = options.yaopai
      if (!isOurs) phone.passed.push({ kind, options })
      if (isOurs && method === 'GET' && options.data !== undefined) throw new Error('a GET with data: the platform would write the query after the signature')
      if (isOurs && kind === 'request' && method !== 'GET' && method !== 'HEAD' && typeof options.data !== 'string' && Object.prototype.toString.call(options.data) !== '[object ArrayBuffer]') {
        throw new Error('a body that the platform would serialise')
      }
      later(() => {
        if (isOver) return
        if (fault.kind === 'unsent') return later(() => finish('fail', { errMsg: `${kind}:fail timeout` }), 100)
        const url = new URL(options.url)
        let answer
        if (!phone.isServers(url)) {
          phone.foreign.push({ url: options.url, headers })
          answer = { status: 200, body: { foreign: true } }
        } else {
          const message = { method, url: options.url, headers, body: options.data }
          // A network stack sends a request twice, the second time much later.
          if (fault.kind === 'twice') later(() => phone.server.handle(message), fault.ms)
          answer = phone.server.handle(message)
        }
        if (fault.kind === 'lost') return later(() => finish('fail', { errMsg: `${kind}:fail timeout` }), 100)
        later(() => {
          if (isOver || phone.isGone) return
          const header = { Date: 'x', ...answer.headers }
          const shown = phone.options.headerCase ? Object.fromEntries(Object.entries(header).map(([k, v]) => [phone.options.headerCase(k), v])) : header
          listeners.forEach(l => l({ header: shown }))
          const raw = { statusCode: answer.status, errMsg: `${kind}:ok`, cookies: [] }
          if (kind === 'request') Object.assign(raw, { data: answer.body === undefined ? '' : JSON.parse(JSON.stringify(answer.body)), header: shown })
          if (kind === 'uploadFile') raw.data = JSON.stringify(answer.body)
          if (kind === 'downloadFile') raw.tempFilePath = 'wxfile://tmp'
          finish('success', raw)
        }, at)
      })
      return {
        abort: () => finish('fail', { errMsg: `${kind}:fail abort` }),
        onHeadersReceived: l => listeners.push(l),
        offHeadersReceived: () => listeners.splice(0),
        onProgressUpdate: () => count('onProgressUpdate'),
        offProgressUpdate() {},
        onChunkReceived() {},
        offChunkReceived() {},
      }
    }
    return {
      request: send('request'),
      uploadFile: send('uploadFile'),
      downloadFile: send('downloadFile'),
      connectSocket(options) {
        count('connectSocket')
        const on = { open: [], close: [], error: [], message: [] }
        const socket = {
          url: options.url, sent: [], isOpen: false, on,
          send: o => (socket.isOpen ? socket.sent.push(o.data) : o.fail && o.fail({ errMsg: 'sendSocketMessage:fail' })),
          close: o => on.close.forEach(l => l(o || {})),
          onOpen: l => on.open.push(l), onClose: l => on.close.push(l), onError: l => on.error.push(l), onMessage: l => on.message.push(l),
        }
        if (!options.yaopai) phone.passed.push({ kind: 'connectSocket', options })
        phone.sockets.push(socket)
        later(() => {
          socket.isOpen = true
          on.open.forEach(l => l({}))
        }, 10)
        return socket
      },
      login: answering('login', () => ({ code: phone.server.code(phone.person || 'xiaoming') })),
      checkSession: answering('checkSession', () => ({})),
      getStorage: answering('getStorage', ({ key, encrypt }) => {
        const had = phone.storage.get(key)
        if (!had || !!had.encrypt !== !!encrypt) throw new Error('data not found')
        return { data: had.data }
      }),
      setStorage: answering('setStorage', ({ key, data, encrypt }) => {
        if (phone.storageFails) throw new Error('exceed max size')
        phone.storage.set(key, { data, encrypt })
      }),
      removeStorage: answering('removeStorage', ({ key }) => void phone.storage.delete(key)),
      getRandomValues: answering('getRandomValues', ({ length }) => {
        const bytes = randomBytes(length)
        return { randomValues: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + length) }
      }),
      showModal: answering('showModal', options => {
        phone.modals.push(options)
        return { confirm: !!phone.confirms }
      }),
      navigateTo: answering('navigateTo', ({ url }) => {
        if (phone.pages.length > 9) throw new Error('webview count limit exceed')
        phone.pages.push(phone.page(url))
      }),
      redirectTo: answering('redirectTo', ({ url }) => void phone.pages.splice(-1, 1, phone.page(url))),
      navigateBack: answering('navigateBack', ({ delta = 1 }) => void phone.pages.splice(-delta, delta)),
      onAppShow: listener => (phone.onShow = listener),
      offAppShow: () => (phone.onShow = undefined),
      getAccountInfoSync: () => ({ miniProgram: { appId: 'wx1', envVersion: phone.options.version || 'release' } }),
      getAppBaseInfo: () => ({ language: phone.options.language || 'zh_CN' }),
      getFileSystemManager: () => ({
        access: ({ success, fail }) => later(() => (phone.filesGone ? fail({ errMsg: 'access:fail' }) : success({}))),
      }),
    }
  }

  isServers(url) {
    return url.hostname === 'shop.example' || url.hostname === 'trial.example' || url.hostname === 'img.shop.example'
  }

  page(url) {
    const [path, query = ''] = url.slice(1).split('?')
    return { route: path, options: Object.fromEntries(new URLSearchParams(query)) }
  }

  install(more = {}) {
    return (this.client = this.yaopai.install({ app: 'shop', server: shop, bindPage: '/pages/bind/bind', ...more }))
  }

  create(more = {}) {
    return (this.client = this.yaopai.createClient({ app: 'shop', server: shop, ...more }))
  }

  /** `wx.request` as a mini program calls it, whichever function stands there by now; settles as its callbacks do. */
  request(options) {
    const o = typeof options === 'string' ? { url: options } : options
    return this.clock.until(
      new Promise((success, fail) => this.wx.request({ ...o, success, fail })),
    )
  }

  /** A promise of the client's, with the clock going on for it. */
  run(promise) {
    return this.clock.until(Promise.resolve(promise))
  }
}

export { Clock, Server, shop }
