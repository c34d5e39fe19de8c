/* eslint-disable @typescript-eslint/no-explicit-any */
import { socket, ticket } from './calls/ticket'
import { globalOf, nativeOf } from './platform/native'
import { call } from './request/call'
import { carry, ensure } from './request/carry'
import { start } from './request/start'
import { place } from './request/url'
import { change, refreshIfDue } from './session/change'
import { leaveBindPage } from './session/bind-page'
import { end } from './session/end'
import { login } from './session/login'
import { drop, load, now, refused, type Engine, type State } from './session/state'
import { randomSource } from './sign/random'
import type { Client, Evidence, Options, RequestOptions, Session } from './types'

const sessionOf = (state: State): Session => Object.assign({}, state.session)

function engineOf(options: Options): Engine {
  const native = nativeOf(globalOf(options.platform))
  const info = (name: string): any => {
    try {
      return native._get(name)!() || {}
    } catch (_) {
      return {}
    }
  }
  const version = (info('getAccountInfoSync').miniProgram || {}).envVersion
  const server: any = options.server
  const base: string =
    typeof server === 'string'
      ? server
      : (version === 'develop' && server.develop) || (/^(develop|trial)$/.test(version) && server.trial) || server.release
  const language = options.language || info(native._get('getAppBaseInfo') ? 'getAppBaseInfo' : 'getSystemInfoSync').language || 'zh'
  const hosts: Record<string, boolean> = {}
  ;[base].concat(options.hosts || []).forEach(url => {
    const p = place(url)
    if (!p) throw new Error('yaopai: no URL: ' + url)
    hosts[p._origin] = true
  })
  const e: Engine = {
    _options: options,
    _native: native,
    _zh: /^zh/.test(language),
    _base: base.replace(/\/+$/, ''),
    _hosts: hosts,
    _envVersion: version,
    _mode: options.keyed === 'off' ? 0 : options.key ? 2 : 1,
    _jar: options.jar,
    _ready: 0 as any,
    _random: 0 as any,
    _skew: 0,
    _changing: Promise.resolve(),
    _writing: Promise.resolve(),
    _codes: [],
    _pause: 0,
    _failures: 0,
    _bind: { depth: 0, since: 0 },
    _told: {},
    _listeners: [],
  }
  const storage = {
    read: (key: string) => native._ask('getStorage', { key, encrypt: true }).then(({ data }) => data, () => undefined),
    write: (key: string, data: string) => native._ask('setStorage', { key, data, encrypt: true }),
  }
  e._ready = Promise.all([
    load(e),
    randomSource(native).then(random => (e._random = random)),
    e._jar && e._jar.open(storage, Date.now()),
  ])
  return e
}

export function clientOf(options: Options): { client: Client; engine: Engine } {
  const e = engineOf(options)
  const ask = async (method: string, path: string, body?: object): Promise<any> => {
    const answer = await carry(e, call(e, method, path, undefined, body))
    if (answer._status > 299) throw refused(e, answer)
    return answer._raw.data
  }
  const shown = (): void => refreshIfDue(e)
  const onShow = e._native._get('onAppShow')
  if (onShow) onShow(shown)
  const client: Client = {
    request: options => start(e, 'request', options, true),
    uploadFile: options => start(e, 'uploadFile', options, true),
    downloadFile: options => start(e, 'downloadFile', options, true),
    connectSocket: options => socket(e, options),
    async login() {
      await e._ready
      return sessionOf(await login(e, true))
    },
    get session() {
      return e._state && sessionOf(e._state)
    },
    async bind(evidence: Evidence) {
      const given: any = evidence
      const state = await change(
        e,
        'bind',
        given.form
          ? { way: 'form', form: given.form }
          : given.phoneCode
            ? { way: 'phone', code: given.phoneCode }
            : { way: 'bind_code', bind_code: given.bindCode },
      )
      leaveBindPage(e)
      return sessionOf(state)
    },
    preview: async bindCode => ({ account: (await ask('POST', '/binding/preview', { bind_code: bindCode })).masked }),
    async unbind() {
      const job = call(e, 'DELETE', '/binding')
      job._final = true
      const state = await ensure(e)
      const answer = await carry(e, job)
      // Sent again after it was done, it meets a session that has ended by it.
      if (answer._status > 299 && !/^(session_revoked|not_bound)$/.test(answer._code)) throw refused(e, answer)
      drop(e, state)
      await login(e)
    },
    phone: code => ask('POST', '/phone', { code }),
    async decrypt({ encryptedData, iv }) {
      const seen = await ensure(e)
      try {
        return await ask('POST', '/decrypt', { encrypted_data: encryptedData, iv })
      } catch (error) {
        if ((error as any).code === 'session_key_stale') await change(e, 'code', undefined, seen)
        throw error
      }
    },
    stepUp: async () => sessionOf(await change(e, 'code')),
    devices: async () => (await ask('GET', '/sessions')).sessions,
    kick: sessionId => ask('DELETE', '/sessions/' + sessionId),
    ticket: (url, use) => ticket(e, url, use),
    async logout() {
      await e._ready
      const state = e._state
      const job = call(e, 'DELETE', '/session', state)
      end(e, state, 'session_ended', true)
      if (state) await carry(e, job).catch(() => 0)
    },
    on(event, listener) {
      const entry: [string, typeof listener] = [event, listener]
      e._listeners.push(entry)
      return () => {
        e._listeners = e._listeners.filter(one => one !== entry)
      }
    },
    now: () => now(e),
    installed: false,
    uninstall() {
      const off = e._native._get('offAppShow')
      if (off) off(shown)
    },
  }
  return { client, engine: e }
}

/** What stands in place of the platform's functions. */
export const functionsOf = (e: Engine): Record<string, (options: RequestOptions) => any> => ({
  request: options => start(e, 'request', options),
  uploadFile: options => start(e, 'uploadFile', options),
  downloadFile: options => start(e, 'downloadFile', options),
  connectSocket: options => socket(e, options),
})
