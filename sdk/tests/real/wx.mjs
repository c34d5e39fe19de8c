// A `wx` over Node's http for the real server, and the built library in a context without what phones hide.
import { readFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import { exchange } from './shop.mjs'

const dist = process.env.YAOPAI_SDK_DIST || fileURLToPath(new URL('../../miniprogram_dist', import.meta.url))

export function startPhone(shop, person, storage = new Map()) {
  const phone = { skew: 0, logins: 0, storage, lose: undefined }
  const answering = body => async options => {
    try {
      options.success(await body(options))
    } catch (error) {
      options.fail({ errMsg: error.message })
    }
  }
  const send = async ({ url, method = 'GET', header, data }) => {
    const body = data === undefined ? undefined : typeof data === 'string' ? data : Buffer.from(data)
    const headers = { ...header }
    if (body !== undefined) headers['Content-Length'] = Buffer.byteLength(body)
    const answer = await exchange(url, { method, headers, body })
    if (phone.lose && url.includes(phone.lose)) {
      phone.lose = undefined
      throw new Error('request:fail timeout')
    }
    let parsed = answer.text
    try {
      parsed = JSON.parse(answer.text)
    } catch {}
    return { statusCode: answer.status, header: answer.headers, data: parsed }
  }
  phone.wx = {
    request: o => (answering(send)(o), { abort() {} }),
    uploadFile: o => (answering(() => send({ ...o, method: 'POST', data: 'a file' }))(o), { abort() {} }),
    downloadFile: o => (answering(() => send({ ...o, method: 'GET' }))(o), { abort() {} }),
    connectSocket: () => ({}),
    login: answering(async () => (phone.logins++, { code: await shop.code(person) })),
    getStorage: answering(({ key }) => {
      if (!storage.has(key)) throw new Error('data not found')
      return { data: storage.get(key) }
    }),
    setStorage: answering(({ key, data }) => void storage.set(key, data)),
    removeStorage: answering(({ key }) => void storage.delete(key)),
    getRandomValues: answering(({ length }) => ({ randomValues: new Uint8Array(randomBytes(length)).buffer })),
    showModal: answering(() => ({})),
  }
  const context = vm.createContext({ wx: phone.wx, setTimeout })
  context.now = () => Date.now() + phone.skew
  vm.runInContext('{ const real = now; Date.now = () => real() }', context)
  const module = { exports: {} }
  vm.runInContext(`(function (module, exports) {${readFileSync(`${dist}/index.js`, 'utf8')}\n})`, context)(module, module.exports)
  phone.yaopai = module.exports
  phone.request = options => new Promise((success, fail) => phone.wx.request({ ...options, success, fail }))
  return phone
}
