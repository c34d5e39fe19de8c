/* eslint-disable @typescript-eslint/no-explicit-any */
import { errorOf } from '../error'
import type { Engine } from '../session/state'
import type { RequestOptions } from '../types'
import { merge, nothing } from '../util'
import { content } from './body'
import { carry, type Job } from './carry'
import { proxyTask } from './task'
import { transport } from './transport'
import { extend, place, type Place } from './url'

/** A URL that may carry the session, or undefined. */
export function ours(e: Engine, url: string): Place | undefined {
  const p = place(url)
  return p && e._hosts[p._origin] ? p : undefined
}

/** `wx.request`, `wx.uploadFile` or `wx.downloadFile` with the session. The caller's options are never changed. */
export function start(e: Engine, kind: string, given: RequestOptions, isPromise?: boolean): any {
  const p = ours(e, given.url)
  // Another's URL: as if we weren't there.
  if (!p && !isPromise) return e._native._had[kind](given)
  const { _task: task, _attach } = proxyTask(
    'onHeadersReceived offHeadersReceived onChunkReceived offChunkReceived onProgressUpdate offProgressUpdate',
  )
  const method = kind === 'uploadFile' ? 'POST' : String(given.method || 'GET').toUpperCase()
  const fields = merge(given.header || given.headers)
  // As they are at the call: the caller may use the object again before there is a session.
  const options = merge(given)
  if (given.formData) options.formData = merge(given.formData)
  let native: any
  let settle: (done: boolean, what: any) => void
  const result = new Promise((done, failed) => {
    settle = (isDone, what) => {
      settle = nothing
      ;(isDone ? done : failed)(what)
      // By the platform's ways: an exception of the caller's is the caller's.
      setTimeout(() => {
        const call: any = isDone ? options.success : options.fail
        try {
          if (call) call(what)
        } finally {
          if (options.complete) options.complete(what)
        }
      }, 0)
    }
  })
  // Whoever uses the callbacks need not look at the promise.
  result.catch(nothing)
  const job: Job = {
    _method: method,
    _place: p!,
    _body: undefined,
    _fields: fields,
    _send(url, signed) {
      options.url = url
      return transport(e, kind, options, signed, real => _attach((native = real)))
    },
  }
  task.abort = () => {
    job._aborted = true
    if (native) native.abort()
    settle(false, errorOf(e._zh, 'abort', 0, '', undefined, kind))
  }
  if (p && kind === 'request') {
    const { _query, _body } = content(method, given.data, fields)
    extend(p, _query)
    options.data = job._body = _body
    options.method = method
  }
  const files = e._native._had.getFileSystemManager
  const path = given.filePath
  if (kind === 'uploadFile' && files && path) {
    job._repeatable = () => new Promise((success, fail) => files().access({ path, success, fail }))
  }
  ;(p ? carry(e, job).then(answer => answer._raw) : job._send(given.url, fields).then(({ raw }) => raw)).then(
    raw => settle(true, raw),
    error => settle(false, error),
  )
  if (isPromise) task.then = result.then.bind(result)
  return task
}
