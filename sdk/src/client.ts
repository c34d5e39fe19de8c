/* eslint-disable @typescript-eslint/no-explicit-any */
import { ticket } from './calls/ticket'
import { globalOf, KINDS, nativeOf } from './platform/native'
import { call, send } from './request/call'
import { ensure } from './request/carry'
import { start } from './request/start'
import { place } from './request/url'
import { change, refreshIfDue } from './session/change'
import { leaveBindPage } from './session/bind-page'
import { isDead } from './session/codes'
import { end } from './session/end'
import { exchange, login } from './session/login'
import { drop, load, now, type Engine, type State } from './session/state'
import { seed } from './sign/random'
import type { Mover } from './move/mover'
import type { Client, Evidence, Options, RequestOptions, Session } from './types'
import { attempt, merge, nothing } from './util'

const sessionOf = (state: State): Session => merge(state.session)

export function engineOf(options: Options): Engine {
  const global = globalOf(options.platform)
  // Questions to the platform about itself; none of them is everywhere.
  const version = attempt(() => global.getAccountInfoSync().miniProgram.envVersion)
  const { server } = options
  const base =
    typeof server === 'string'
      ? server
      : (version === 'develop' && server.develop) || (/^[dt]/.test(version) && server.trial) || server.release
  const language = options.language || attempt(() => (global.getAppBaseInfo || global.getSystemInfoSync).call(global).language)
  const e: Engine = merge(nativeOf(global), {
    _options: options,
    _zh: !language || /^zh/.test(language),
    _base: base.replace(/\/+$/, ''),
    _hosts: [base].concat(options.hosts || []).map(url => {
      const p = place(url)
      if (!p) throw new Error('yaopai: no URL: ' + url)
      return p._origin
    }),
    _envVersion: version,
    _key: options.storageKey || 'yaopai',
    _mode: options.keyed === 'off' ? 0 : options.key ? 2 : 1,
    _skew: 0,
    // (`_pause`, `_bindShown` and `_foreignAt` are undefined at first: what is compared with them is false.)
    _codes: [],
    _failures: 0,
    _sent: 0,
    _told: {},
    _cleared: 0,
    _foreign: 0,
    _listeners: new Set([['end', options.onEnd]]),
    _ensure: ensure,
    _exchange: exchange,
    _isDead: isDead,
    _start: start,
  })
  e._ready = Promise.all([load(e), seed(e)])
  if (options.move) (options.move as Mover).join(e, call, end)
  return e
}

export function clientOf(e: Engine): Client {
  const { onAppShow, offAppShow } = e._had
  const shown = (): void => refreshIfDue(e)
  if (onAppShow) onAppShow(shown)
  const client: Omit<Client, 'request' | 'uploadFile' | 'downloadFile' | 'connectSocket'> = {
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
    preview: async bindCode => ({ account: (await send(e, 'POST', '/binding/preview', { bind_code: bindCode })).masked }),
    async unbind() {
      try {
        await send(e, 'DELETE', '/binding', undefined, true)
      } catch (error: any) {
        // Sent again after it was done, it meets a session that has ended by it.
        if (!/^(session_revoked|not_bound)/.test(error.code)) throw error
      }
      if (e._state) drop(e, e._state)
      await login(e)
    },
    phone: code => send(e, 'POST', '/phone', { code }),
    async decrypt({ encryptedData, iv }) {
      const seen = await ensure(e)
      try {
        return await send(e, 'POST', '/decrypt', { encrypted_data: encryptedData, iv })
      } catch (error: any) {
        if (error.code === 'session_key_stale') await change(e, 'code', seen)
        throw error
      }
    },
    stepUp: async () => sessionOf(await change(e, 'code')),
    devices: async () => (await send(e, 'GET', '/sessions')).sessions,
    kick: sessionId => send(e, 'DELETE', '/sessions/' + sessionId),
    ticket: (url, use) => ticket(e, url, use),
    async logout() {
      await e._ready
      // A login that fails leaves nothing to end; the person's wish holds all the same.
      const state = e._state || (await Promise.resolve(e._opening).catch(nothing))
      const sent = state && call(e, 'DELETE', '/session', undefined, state)
      end(e, state, 'session_ended', true)
      await sent
    },
    on(event, listener) {
      const entry: [string, typeof listener] = [event, listener]
      e._listeners.add(entry)
      return () => void e._listeners.delete(entry)
    },
    now: () => now(e),
    get installed() {
      return !!e._back
    },
    uninstall() {
      e._isGone = true
      if (offAppShow) offAppShow(shown)
      if (e._back) e._back()
      e._back = undefined
    },
  }
  return Object.assign(client, functionsOf(e, true))
}

/** What stands in place of the platform's functions; and the client's own. */
export function functionsOf(e: Engine, isClients?: boolean): any {
  const functions: Record<string, any> = {}
  KINDS.forEach(kind => (functions[kind] = (options: RequestOptions) => e._start(e, kind, options, isClients)))
  return functions
}
