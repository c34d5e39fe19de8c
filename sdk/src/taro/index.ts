import type { Client, RequestOptions } from '../types'
import { taskPromise, type TaskPromise } from './task-promise'

/** As much of Taro's chain of interceptors as this needs. */
export interface Chain {
  requestParams: object
}

/**
 * `Taro.addInterceptor(taroInterceptor(client))`: all requests of Taro go through the client. Only needed where `install()`
 * didn't take (`client.installed` is false, as with plugins) or isn't wanted: where it did, `Taro.request` is signed anyway.
 *
 * Add it last. It sends the request itself, because the end of Taro's chain is the platform's `request`, so interceptors added
 * after it are not asked. What Taro returns is a promise that can be aborted as well, if the interceptors before it return
 * what `chain.proceed` gave them: `then` gives another promise, without `abort`.
 */
export function taroInterceptor(client: Pick<Client, 'request'>): (chain: Chain) => TaskPromise {
  return chain => taskPromise(client, chain.requestParams as RequestOptions)
}
