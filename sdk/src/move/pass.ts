/* eslint-disable @typescript-eslint/no-explicit-any */
import { field, type Headers } from '../request/headers'
import { proxyTask } from '../request/task'
import { place } from '../request/url'
import type { Engine } from '../session/state'
import type { RequestOptions } from '../types'
import { nothing } from '../util'
import { given as copied } from './copy'

type Start = Engine['_start']

const LISTENERS =
  'abort onHeadersReceived offHeadersReceived onChunkReceived offChunkReceived onProgressUpdate offProgressUpdate'

/**
 * In place of the client's `start`: what the move leaves to the session of old goes to the platform as it was given. `isAside`: is the
 * person known to be there? `ask` asks whether that still holds, if it is time.
 */
export const passing = (start: Start, isAside: () => boolean, ask: () => Promise<unknown>): Start => (e, kind, given, isClients) => {
  const p = place(given.url)
  const isOurs = p && e._hosts.indexOf(p._origin) >= 0 && (isClients || (!given.yaopai && !e._isGone))
  if (!isOurs) return start(e, kind, given, isClients)
  const wasAside = isAside()
  // Nobody waits for it: a request goes on where it was sent, whatever the answer.
  if (wasAside) ask().catch(nothing)
  if (wasAside && (!isClients || kind === 'connectSocket')) return e._had[kind](given)
  const kept = copied(given)
  if (kind === 'connectSocket') return socket(e, kept, () => start(e, kind, kept, isClients), isAside, ask)
  const { _task: task, _attach } = proxyTask(LISTENERS)
  let isAborted = false
  const result = new Promise<any>((done, fail) => {
    const { abort } = task
    task.abort = () => {
      isAborted = true
      abort()
    }
    const pass = (): void => {
      try {
        _attach(e._had[kind](Object.assign(kept, { success: done, fail, complete: undefined })))
      } catch (error) {
        fail(error)
      }
    }
    if (wasAside) return pass()
    let seen: Headers
    let inner: any
    try {
      inner = start(
        e,
        kind,
        Object.assign({}, kept, {
          success(raw: any) {
            if (!isAside() || isAborted || !isUnseen(raw, raw.header || raw.headers || seen || {})) done(raw)
            else isThere(e, kind, kept).then(pass, () => done(raw))
          },
          fail: (error: any) => (error.code === 'not_moved' && !isAborted ? pass() : fail(error)),
          complete: undefined,
        }),
        isClients,
      )
    } catch (error) {
      // What can't be written out for a signature may be as good as any to the platform.
      ask().then(
        () => fail(error),
        () => (isAside() && !isAborted ? pass() : fail(error)),
      )
      return
    }
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
