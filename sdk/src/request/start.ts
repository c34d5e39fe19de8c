/* eslint-disable @typescript-eslint/no-explicit-any */
import { socket } from '../calls/ticket'
import { errorOf } from '../error'
import type { Engine } from '../session/state'
import type { RequestOptions } from '../types'
import { merge } from '../util'
import { content } from './body'
import { carry, type Job } from './carry'
import { proxyTask } from './task'
import { transport } from './transport'
import { extend, place, type Place } from './url'

/** A URL that may carry the session, or undefined. */
export function ours(e: Engine, url: string): Place | undefined {
  const p = place(url)
  return p && e._hosts.indexOf(p._origin) >= 0 ? p : undefined
}

/**
 * `wx.request` and its like with the session; as the client's own it is a promise as well. The caller's options are never changed.
 */
export function start(e: Engine, kind: string, given: RequestOptions, isClients?: boolean): any {
  const p = ours(e, given.url)
  const isSocket = kind === 'connectSocket'
  // Another's URL: as if we weren't there. So, too, when we are gone, and whoever has patched after us goes on calling this. And
  // what another client of this package sends (one that was made after the install, a second copy) has its session already.
  if (isClients ? isSocket && !p : !p || e._isGone || given.yaopai) return e._had[kind](given)
  if (isSocket) return socket(e, given)
  const { _task: task, _attach } = proxyTask(
    'abort onHeadersReceived onChunkReceived onProgressUpdate'.replace(/on(\w+)/g, '$& off$1'),
  )
  const method = kind === 'uploadFile' ? 'POST' : String(given.method || 'GET').toUpperCase()
  const fields = merge(given.header || given.headers)
  // As they are at the call: the caller may use the object again before there is a session.
  const options = merge(given)
  if (given.formData) options.formData = merge(given.formData)
  const job: Job = { _kind: kind, _options: options, _method: method, _place: p!, _fields: fields, _attach }
  if (p && kind === 'request') {
    const { _query, _body } = content(method, given.data, fields)
    extend(p, _query)
    options.data = job._body = _body
    options.method = method
  }
  const files = e._had.getFileSystemManager
  const path = given.filePath
  if (kind === 'uploadFile' && files && path) {
    job._repeatable = () => new Promise((success, fail) => files().access({ path, success, fail }))
  }
  const result = new Promise((done, fail) => {
    const { abort } = task
    task.abort = () => {
      job._aborted = true
      abort()
      fail(errorOf(e, 'abort', 0, '', undefined, kind))
    }
    ;(p ? carry(e, job) : transport(e, job, given.url, fields)).then(answer => done(answer._raw), fail)
  })
  // By the platform's ways: an exception of the caller's is the caller's. Whoever uses these need not look at the promise.
  const tell = (name: string) => (what: unknown): void =>
    setTimeout(() => {
      try {
        if (options[name]) options[name](what)
      } finally {
        if (options.complete) options.complete(what)
      }
    }, 0) as any
  result.then(tell('success'), tell('fail'))
  if (isClients) task.then = result.then.bind(result)
  return task
}
