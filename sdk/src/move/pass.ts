/* eslint-disable @typescript-eslint/no-explicit-any */
import { field, type Headers } from '../request/headers'
import { proxyTask } from '../request/task'
import { place } from '../request/url'
import type { Engine } from '../session/state'
import type { RequestOptions } from '../types'
import { copy } from './copy'

type Start = Engine['_start']

const LISTENERS =
  'abort onHeadersReceived offHeadersReceived onChunkReceived offChunkReceived onProgressUpdate offProgressUpdate'

/** In place of the client's `start`: what the move leaves to the session of old goes to the platform as it was given. */
export const passing = (start: Start, isAside: () => boolean, ask: () => Promise<unknown>): Start => (e, kind, given, isClients) => {
  const p = place(given.url)
  const isOurs = p && e._hosts.indexOf(p._origin) >= 0 && (isClients || (!given.yaopai && !e._isGone))
  if (!isOurs) return start(e, kind, given, isClients)
  if (kind === 'connectSocket') return isAside() ? e._had[kind](given) : socket(e, given, () => start(e, kind, given, isClients), isAside, ask)
  if (isAside() && !isClients) return e._had[kind](given)
  const kept = copy(given)
  const { _task: task, _attach } = proxyTask(LISTENERS)
  let isAborted = false
  const result = new Promise<any>((done, fail) => {
    const { abort } = task
    task.abort = () => {
      isAborted = true
      abort()
    }
    const pass = (): void => _attach(e._had[kind](Object.assign(kept, { success: done, fail, complete: undefined })))
    let seen: Headers
    const inner = start(
      e,
      kind,
      Object.assign({}, given, {
        success(raw: any) {
          if (!isAside() || isAborted || !isUnseen(raw, raw.header || raw.headers || seen || {})) done(raw)
          else isThere(e, kind, given).then(pass, () => done(raw))
        },
        fail: (error: any) => (error.code === 'not_moved' && !isAborted ? pass() : fail(error)),
        complete: undefined,
      }),
      isClients,
    )
    // An upload's answer has no header fields of its own.
    if (kind !== 'request') inner.onHeadersReceived(({ header }: { header: Headers }) => (seen = header))
    _attach(inner)
  })
  // By the platform's ways: an exception of the caller's is the caller's. Whoever uses these need not look at the promise.
  const { success, fail, complete } = given
  const tell = (listener: any) => (what: unknown): void =>
    setTimeout(() => {
      try {
        if (listener) listener.call(given, what)
      } finally {
        if (complete) complete.call(given, what)
      }
    }, 0) as any
  result.then(tell(success), tell(fail))
  if (isClients) task.then = result.then.bind(result)
  return task
}

/** Has the server refused it, so that nobody has acted on it? */
const isUnseen = (raw: any, header: Headers): boolean => {
  const code = field(header, 'yaopai-code')
  return !!code && code !== 'proof_replayed' && +(field(header, 'yaopai-status') || raw.statusCode || raw.status) === 401
}

/** Rejects if it can't be sent again: an upload's file may be gone. */
const isThere = (e: Engine, kind: string, { filePath: path }: RequestOptions): Promise<unknown> => {
  const { getFileSystemManager: files } = e._had
  return kind === 'uploadFile' && path && 'getFileSystemManager' in e._had
    ? new Promise((success, fail) => files().access({ path, success, fail }))
    : Promise.resolve()
}

/** A socket, when it is known where to. */
function socket(e: Engine, given: RequestOptions, start: () => any, isAside: () => boolean, ask: () => Promise<unknown>): any {
  const { _task: task, _attach } = proxyTask('send close onOpen onMessage onError onClose')
  const { close } = task
  let isClosed = false
  task.close = (options: any) => {
    isClosed = true
    close(options)
  }
  const open = (): void => _attach(isAside() && !isClosed ? e._had.connectSocket(given) : start())
  ask().then(open, open)
  return task
}
