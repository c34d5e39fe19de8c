/* eslint-disable @typescript-eslint/no-explicit-any */
declare const wx: any, my: any, tt: any, swan: any, qq: any, ks: any

/** The platform's functions, as they were when this was made: who patches them later doesn't reach us, and we not ourselves. */
export interface Native {
  _global: any
  /** A function of the platform, or undefined. */
  _get(name: string): ((...args: any[]) => any) | undefined
  /** Calls one that answers by success and fail; rejects with what fail was given. */
  _ask(name: string, options?: object): Promise<any>
}

const NAMES =
  'request uploadFile downloadFile connectSocket login getAuthCode getStorage setStorage removeStorage getRandomValues showModal ' +
  'confirm navigateTo redirectTo navigateBack onAppShow offAppShow getAccountInfoSync getAppBaseInfo getSystemInfoSync getFileSystemManager'

/**
 * Each platform's global is a variable of its own and no property of a global object. WeChat's is tried against this code in
 * our tests. The others (Alipay `my`, Douyin `tt`, Baidu `swan`, QQ `qq`, Kuaishou `ks`) are written from their
 * documentation and were never tried: they share WeChat's names but for what is said at each place that treats Alipay's.
 */
export function globalOf(given?: object): any {
  return (
    given ||
    (typeof wx !== 'undefined' ? wx
    : typeof my !== 'undefined' ? my
    : typeof tt !== 'undefined' ? tt
    : typeof swan !== 'undefined' ? swan
    : typeof qq !== 'undefined' ? qq
    : ks)
  )
}

export function nativeOf(global: any): Native {
  const had: Record<string, any> = {}
  NAMES.split(' ').forEach(name => (had[name] = global[name]))
  const get = (name: string) => had[name] && ((...args: any[]) => had[name].apply(global, args))
  return {
    _global: global,
    _get: get,
    _ask: (name, options) =>
      new Promise((success, fail) => {
        const call = get(name)
        if (call) call(Object.assign({}, options, { success, fail }))
        else fail({ errMsg: name + ':fail not supported' })
      }),
  }
}

export const sleep = (ms: number): Promise<void> => new Promise(done => setTimeout(done, ms))
