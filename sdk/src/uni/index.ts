import { taskPromise, type TaskPromise } from '../taro/task-promise'
import type { Client, RequestOptions } from '../types'

/**
 * `const request = uniRequest(client)`: as `uni.request`, a promise of the response and a task in one, whether callbacks are
 * given or not. uni-app copies the functions of `wx` before any code of the app's own runs, so that `install()` may come too late
 * for `uni.request`; and an interceptor of `uni.addInterceptor` can't send a request again.
 */
export function uniRequest(client: Pick<Client, 'request'>): (options: RequestOptions) => TaskPromise {
  return options => taskPromise(client, options)
}
