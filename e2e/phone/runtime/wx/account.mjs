// What WeChat knows of the person: codes, keys, encrypted data. The client asks for all of it.

import { answer, failed, Failure } from './call.mjs'

const MOST_RANDOM = 1_048_576

export function account({ link, clock, quirks }, hello, make) {
  const ask = (type, pick = result => result) => async () => pick(await link.call(type))
  const random = length => {
    if (!Number.isInteger(length) || length < 1 || length > MOST_RANDOM) throw new Failure('invalid length')
    const bytes = new Uint8Array(length)
    crypto.getRandomValues(bytes)
    return { randomValues: bytes.buffer }
  }
  /** UserCryptoManager has callbacks only. */
  const callbacks = (name, work) => (options = {}) => {
    (async () => work(options))().then(
      result => clock.deliver(() => answer(options, true, { ...result, errMsg: `${name}:ok` })),
      error => clock.deliver(() => answer(options, false, failed(name, error))),
    )
  }
  const wx = {
    login: make('login', ask('login')),
    checkSession: make('checkSession', ask('checkSession', () => ({}))),
    getUserInfo: make('getUserInfo', () => link.call('userInfo').then(profile)),
    getWeRunData: make('getWeRunData', ask('weRunData')),
    getUserProfile: make('getUserProfile', () => link.call('userInfo').then(profile)),
    getAccountInfoSync: () => ({ miniProgram: { appId: hello.appid, envVersion: hello.envVersion, version: hello.version }, plugin: {} }),
    getRandomValues: make('getRandomValues', ({ length }) => random(length)),
    getUserCryptoManager: () => ({
      getLatestUserKey: callbacks('getLatestUserKey', () => link.call('userKey')),
      getRandomValues: callbacks('getRandomValues', ({ length }) => random(length)),
    }),
  }
  if (quirks.noRandomValues) for (const name of ['getRandomValues', 'getUserCryptoManager']) delete wx[name]
  return wx
}

function profile(answered) {
  return { ...answered, userInfo: JSON.parse(answered.rawData) }
}
