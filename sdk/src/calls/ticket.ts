/* eslint-disable @typescript-eslint/no-explicit-any */
import { errorOf } from '../error'
import { call } from '../request/call'
import { carry } from '../request/carry'
import { ours } from '../request/start'
import { proxyTask } from '../request/task'
import { extend, link } from '../request/url'
import { refused, type Engine } from '../session/state'
import type { RequestOptions } from '../types'
import { merge } from '../util'

/** The URL with a ticket: good once, at that host and path, within 30 s. */
export async function ticket(e: Engine, url: string, use: string): Promise<string> {
  const p = ours(e, url)
  if (!p) throw errorOf(e._zh, 'not_ours')
  const answer = await carry(
    e,
    call(e, 'POST', '/ticket', undefined, { authority: p._authority, path: p._path, for: use }),
  )
  if (answer._status !== 200) throw refused(e, answer)
  extend(p, 'yaopai_ticket=' + answer._raw.data.ticket)
  return link(p) + p._fragment
}

/** `wx.connectSocket`. What is to be sent waits until the socket is open. */
export function socket(e: Engine, given: RequestOptions): any {
  const connect = e._native._had.connectSocket
  if (!ours(e, given.url)) return connect(given)
  const { _task: task, _attach, _release } = proxyTask('send onOpen onMessage', name => name === 'send')
  // These two are told of what happens before there is a socket, too.
  const listeners: Record<string, Array<(what: any) => void>> = { onError: [], onClose: [] }
  const tell = (name: string, what: any): void => listeners[name].forEach(listener => listener(what))
  let native: any
  let isClosed = false
  for (const name in listeners) {
    task[name] = (listener: (what: any) => void) => {
      listeners[name].push(listener)
      if (native) native[name](listener)
    }
  }
  task.close = (options: any = {}) => {
    if (native) native.close(options)
    else if (!isClosed) {
      isClosed = true
      tell('onClose', { code: options.code || 1000, reason: options.reason || '' })
    }
  }
  ticket(e, given.url, 'socket').then(
    url => {
      if (isClosed) return
      native = connect(merge(given, { url, yaopai: 1 }))
      native.onOpen(_release)
      for (const name in listeners) listeners[name].forEach(listener => native[name](listener))
      _attach(native)
    },
    error => {
      if (isClosed) return
      if (given.fail) given.fail(error)
      if (given.complete) given.complete(error)
      tell('onError', error)
      task.close({ code: 1006, reason: error.errMsg })
    },
  )
  return task
}
