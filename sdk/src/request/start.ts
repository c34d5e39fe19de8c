/* eslint-disable @typescript-eslint/no-explicit-any */
import { errorOf } from '../error'
import type { Engine } from '../session/state'
import type { RequestOptions } from '../types'
import { content } from './body'
import { carry, type Job } from './carry'
import { proxyTask } from './task'
import { transport } from './transport'
import { extend, place } from './url'

const TASK = 'onHeadersReceived offHeadersReceived onChunkReceived offChunkReceived onProgressUpdate offProgressUpdate'

/** A URL that may carry the session, or undefined. */
export function ours(e: Engine, url: unknown) {
  const p = typeof url === 'string' && place(url)
  return p && e._hosts[p._origin] ? p : undefined
}

/** `wx.request`, `wx.uploadFile` or `wx.downloadFile` with the session. The caller's options are never changed. */
export function start(e: Engine, kind: string, given: RequestOptions, isPromise?: boolean): any {
  const p = ours(e, given.url)
  // Another's URL: as if we weren't there.
  if (!p && !isPromise) return e._native._get(kind)!(given)
  const { _task: task, _attach } = proxyTask(TASK)
  let native: any
  let isOver = false
  let settle: (how: 'success' | 'fail', result: any) => void
  const result = new Promise((done, failed) => {
    settle = (how, what) => {
      if (isOver) return
      isOver = true
      const { success, fail, complete } = given
      if (how === 'success') done(what)
      else failed(what)
      // By the platform's ways: an exception of the caller's is the caller's.
      setTimeout(() => {
        const call = how === 'success' ? success : fail
        try {
          if (call) (call as any)(what)
        } finally {
          if (complete) complete(what)
        }
      }, 0)
    }
  })
  // Whoever uses the callbacks need not look at the promise.
  result.catch(() => 0)

  const method = kind === 'uploadFile' ? 'POST' : kind === 'downloadFile' ? 'GET' : String(given.method || 'GET').toUpperCase()
  const fields = Object.assign({}, given.header || (given as any).headers)
  const options: any = Object.assign({}, given)
  const job: Job = {
    _method: method,
    _place: p!,
    _body: undefined,
    _fields: fields,
    _send(url, signed) {
      if (p) options.url = url
      return transport(e, kind, options, signed, real => {
        native = real
        _attach(real)
      })
    },
  }
  task.abort = () => {
    job._aborted = true
    if (native) native.abort()
    settle('fail', errorOf(e._zh, 'abort', 0, undefined, undefined, kind))
  }
  if (p && kind === 'request') {
    const { _query, _body } = content(method, given.data, fields)
    extend(p, _query)
    job._body = _body
    options.data = method === 'GET' || method === 'HEAD' ? undefined : _body
    options.method = method
  }
  if (kind === 'uploadFile') {
    const files = e._native._get('getFileSystemManager')
    job._repeatable = () =>
      new Promise((success, fail) =>
        files && given.filePath ? files().access({ path: given.filePath, success, fail }) : success(0),
      )
  }
  const sent = p ? carry(e, job).then(answer => answer._raw) : job._send(given.url, fields).then(({ raw }) => raw)
  sent.then(
    raw => settle('success', raw),
    error => settle('fail', error),
  )
  if (isPromise) task.then = (a: any, b: any) => result.then(a, b)
  return task
}
