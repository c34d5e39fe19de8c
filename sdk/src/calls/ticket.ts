/* eslint-disable @typescript-eslint/no-explicit-any */
import { errorOf } from '../error'
import { send } from '../request/call'
import { ours } from '../request/start'
import { proxyTask } from '../request/task'
import { extend, link } from '../request/url'
import type { Engine } from '../session/state'
import type { RequestOptions } from '../types'
import { merge } from '../util'

/** The URL with a ticket: good once, at that host and path, within 30 s. */
export async function ticket(e: Engine, url: string, use: string): Promise<string> {
  const p = ours(e, url)
  if (!p) throw errorOf(e, 'not_ours')
  const answer = await send(e, 'POST', '/ticket', { authority: p._authority, path: p._path, for: use })
  extend(p, 'yaopai_ticket=' + answer.ticket)
  return link(p) + p._fragment
}

/** `wx.connectSocket`. What is to be sent waits until the socket is open. */
export function socket(e: Engine, given: RequestOptions): any {
  const { _task: task, _attach, _tell } = proxyTask('onOpen onMessage onError onClose')
  const waiting: any[] = []
  let native: any
  let isOpen: boolean | undefined
  let isClosed: boolean | undefined
  task.send = (options: any) => (isOpen ? native.send(options) : waiting.push(options))
  task.close = (options: any = {}) => {
    if (native) native.close(options)
    else if (!isClosed) {
      isClosed = true
      _tell('onClose', { code: options.code || 1000, reason: options.reason || '' })
    }
  }
  ticket(e, given.url, 'socket').then(
    url => {
      if (isClosed) return
      native = e._had.connectSocket(merge(given, { url, yaopai: 1 }))
      native.onOpen(() => {
        isOpen = true
        waiting.forEach(task.send)
      })
      _attach(native)
    },
    error => {
      if (isClosed) return
      if (given.fail) given.fail(error)
      if (given.complete) given.complete(error)
      _tell('onError', error)
      task.close({ code: 1006, reason: error.errMsg })
    },
  )
  return task
}
