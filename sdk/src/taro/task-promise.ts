import type { Client, RequestOptions, Response, Task } from '../types'

/** A whole promise, with `catch` and `finally`, that can be aborted and listened to as well. */
export type TaskPromise = Promise<Response> & Task

const METHODS: Array<keyof Task> = ['abort', 'onHeadersReceived', 'offHeadersReceived', 'onChunkReceived', 'offChunkReceived', 'onProgressUpdate',
  'offProgressUpdate']

export function taskPromise(client: Pick<Client, 'request'>, options: RequestOptions): TaskPromise {
  const task = client.request(options)
  const promise = Promise.resolve(task as PromiseLike<Response>) as TaskPromise
  // Whoever takes the answer by callbacks leaves the promise alone, and must not be told that nobody caught it.
  if (options.success || options.fail || options.complete) promise.catch(() => undefined)
  for (const name of METHODS) promise[name] = (...args: unknown[]) => (task[name] as (...args: unknown[]) => void)(...args)
  return promise
}
