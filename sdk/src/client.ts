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
import { merge, nothing } from './util'

const sessionOf = (state: State): Session => merge(state.session)

/** A synchronous question to the platform about itself; none of them is everywhere. */
function ask(global: any, name: string): any {
  try {
    return global[name]() || {}
  } catch (_) {
    return {}
  }
}

export function engineOf(options: Options): Engine {
  const global = globalOf(options.platform)
  const native = nativeOf(global)
  const version = (ask(global, 'getAccountInfoSync').miniProgram || {}).envVersion
  const { server, jar } = options
  const base =
    typeof server === 'string'
      ? server
      : (version === 'develop' && server.develop) || (/^[dt]/.test(version) && server.trial) || server.release
  const info = global.getAppBaseInfo ? 'getAppBaseInfo' : 'getSystemInfoSync'
  const e: Engine = {
    _options: options,
    _native: native,
    _zh: /^zh/.test(options.language || ask(global, info).language || 'zh'),
    _base: base.replace(/\/+$/, ''),
    _hosts: {},
    _envVersion: version,
    _mode: options.keyed === 'off' ? 0 : options.key ? 2 : 1,
    _skew: 0,
    _codes: [],
    _pause: 0,
    _failures: 0,
    _sent: 0,
    _bindShown: 0,
    _told: {},
    _cleared: 0,
    _foreignAt: 0,
    _foreign: 0,
    _listeners: [],
  }
  ;[base].concat(options.hosts || []).forEach(url => {
    const p = place(url)
    if (!p) throw new Error('yaopai: no URL: ' + url)
    e._hosts[p._origin] = 1
  })
  e._ready = Promise.all([
    load(e).then(
      () =>
        jar &&
        jar.open(
          {
            read: key => native._ask('getStorage', { key, encrypt: true }).then(({ data }) => data, nothing),
            write: (key, data) => native._ask('setStorage', { key, data, encrypt: true }),
          },
          now(e),
        ),
    ),
    randomSource(native).then(random => (e._random = random)),
  ])
  return e
}

export function clientOf(e: Engine): Client {
  const send = async (method: string, path: string, body?: object): Promise<any> => {
    const answer = await carry(e, call(e, method, path, undefined, body))
    if (answer._status > 299) throw refused(e, answer)
    return answer._raw.data
  }
  const { onAppShow, offAppShow } = e._native._had
  const shown = (): void => refreshIfDue(e)
  if (onAppShow) onAppShow(shown)
  return {
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
      const { form, phoneCode: code, bindCode } = evidence as any
      const state = await change(e, 'bind', undefined, {
        way: form ? 'form' : code ? 'phone' : 'bind_code',
        form,
        code,
        bind_code: bindCode,
      })
      leaveBindPage(e)
      return sessionOf(state)
    },
    preview: async bindCode => ({ account: (await send('POST', '/binding/preview', { bind_code: bindCode })).masked }),
    async unbind() {
      const answer = await carry(e, call(e, 'DELETE', '/binding', undefined, undefined, true))
      // Sent again after it was done, it meets a session that has ended by it.
      if (answer._status > 299 && !/^(session_revoked|not_bound)/.test(answer._code)) throw refused(e, answer)
      if (e._state) drop(e, e._state)
      await login(e)
    },
    phone: code => send('POST', '/phone', { code }),
    async decrypt({ encryptedData, iv }) {
      const seen = await ensure(e)
      try {
        return await send('POST', '/decrypt', { encrypted_data: encryptedData, iv })
      } catch (error: any) {
        if (error.code === 'session_key_stale') await change(e, 'code', seen)
        throw error
      }
    },
    stepUp: async () => sessionOf(await change(e, 'code')),
    devices: async () => (await send('GET', '/sessions')).sessions,
    kick: sessionId => send('DELETE', '/sessions/' + sessionId),
    ticket: (url, use) => ticket(e, url, use),
    async logout() {
      await e._ready
      // A login that fails leaves nothing to end; the person's wish holds all the same.
      const state = e._state || (await Promise.resolve(e._opening).catch(nothing))
      const sent = state && carry(e, call(e, 'DELETE', '/session', state))
      end(e, state, 'session_ended', true)
      await sent
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
      e._isGone = true
      if (offAppShow) offAppShow(shown)
    },
  }
}

/**
 * What stands in place of the platform's functions. Whoever has patched them after us goes on calling these when we are gone.
 * What another client of this package sends (one that was made after the install, a second copy) has its session already.
 */
export function functionsOf(e: Engine): Record<string, any> {
  const functions: Record<string, any> = {}
  for (const kind of ['request', 'uploadFile', 'downloadFile', 'connectSocket']) {
    functions[kind] = (options: RequestOptions) =>
      e._isGone || options.yaopai ? e._native._had[kind](options) : kind === 'connectSocket' ? socket(e, options) : start(e, kind, options)
  }
  return functions
}
