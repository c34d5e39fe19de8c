/* eslint-disable @typescript-eslint/no-explicit-any */
import { attempt, merge } from '../util'

declare const wx: any, my: any, tt: any, swan: any, qq: any, ks: any

/** The platform's functions, as they were when this was made: who patches them later doesn't reach us, and we not ourselves. */
export interface Native {
  _global: any
  /** The functions by name, those that the platform has. */
  _had: Record<string, (...args: any[]) => any>
  /** Calls one that answers by success and fail; rejects with what fail was given. */
  _ask(name: string, options?: object): Promise<any>
}

/** What is ours to patch. */
export const KINDS = ['request', 'uploadFile', 'downloadFile', 'connectSocket']

const NAMES =
  'login getAuthCode getStorage setStorage removeStorage getRandomValues showModal confirm navigateTo redirectTo navigateBack ' +
  'onAppShow offAppShow getFileSystemManager'

/**
 * Each platform's global is a variable of its own and no property of a global object. WeChat's is tried against this code in
 * our tests. The others (Alipay `my`, Douyin `tt`, Baidu `swan`, QQ `qq`, Kuaishou `ks`) are written from their
 * documentation and were never tried: they share WeChat's names but for what is said at each place that treats Alipay's.
 */
export const globalOf = (given?: object): any =>
  given ||
  attempt(() => wx) ||
  attempt(() => my) ||
  attempt(() => tt) ||
  attempt(() => swan) ||
  attempt(() => qq) ||
  attempt(() => ks)

export function nativeOf(global: any): Native {
  const had: Native['_had'] = {}
  KINDS.concat(NAMES.split(' ')).forEach(name => global[name] && (had[name] = global[name].bind(global)))
  return {
    _global: global,
    _had: had,
    // A function that isn't there throws, which rejects as well.
    _ask: (name, options) =>
      new Promise((success, fail) => {
        had[name](merge(options, { success, fail }))
        // All requests wait for these. One that is never answered must not hold them for good.
        if (/^login|Storage/.test(name)) setTimeout(fail, 30000)
      }),
  }
}
