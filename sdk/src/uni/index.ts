import { taskPromise, type TaskPromise } from '../taro/task-promise'
import type { Client, RequestOptions } from '../types'

/**
 * `const request = uniRequest(client)`: as `uni.request`, a promise of the response and a task in one, whether callbacks are
 * given or not. Only needed where `install()` didn't take or isn't wanted: where it did, `uni.request` is signed anyway. An interceptor
 * of `uni.addInterceptor` can't do it, as it can't send a request again.
 */
export function uniRequest(client: Pick<Client, 'request'>): (options: RequestOptions) => TaskPromise {
  return options => taskPromise(client, options)
}
