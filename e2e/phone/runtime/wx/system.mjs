// The phone itself, and small things of it.

import { Failure } from './call.mjs'

export function system({ clock, link, screen }, hello, make) {
  const device = { brand: 'devtools', model: 'iPhone 15', system: 'iOS 17.5', platform: 'ios', memorySize: 2048, abi: 'arm64', deviceAbi: 'arm64' }
  const base = { SDKVersion: hello.base, version: '8.0.50', language: hello.language, theme: 'light', enableDebug: false, fontSizeScaleFactor: 1, fontSizeSetting: 16, host: { env: 'WeChat' } }
  const window = () => screen.measure()
  const all = () => ({ ...device, ...base, ...window(), errMsg: 'getSystemInfo:ok' })
  const network = []
  const nothing = ['reportEvent', 'reportAnalytics', 'reportMonitor', 'showShareMenu', 'hideShareMenu', 'vibrateShort', 'vibrateLong', 'setKeepScreenOn',
    'updateShareMenu', 'hideKeyboard', 'previewImage', 'makePhoneCall', 'setBackgroundColor', 'setBackgroundTextStyle', 'authorize', 'hideHomeButton',
    'requirePrivacyAuthorize', 'preloadPage', 'enableAlertBeforeUnload', 'disableAlertBeforeUnload']
  let clipboard = ''
  const wx = {
    getSystemInfoSync: all,
    getSystemInfo: make('getSystemInfo', all),
    getSystemInfoAsync: make('getSystemInfoAsync', all),
    getWindowInfo: window,
    getDeviceInfo: () => device,
    getAppBaseInfo: () => base,
    getSystemSetting: () => ({ bluetoothEnabled: true, locationEnabled: true, wifiEnabled: true, deviceOrientation: 'portrait' }),
    getAppAuthorizeSetting: () => ({}),
    getSetting: make('getSetting', () => ({ authSetting: {} })),
    getPrivacySetting: make('getPrivacySetting', () => ({ needAuthorization: false, privacyContractName: '' })),
    getMenuButtonBoundingClientRect: () => screen.capsule(),
    getNetworkType: make('getNetworkType', () => ({ networkType: screen.online ? 'wifi' : 'none' })),
    onNetworkStatusChange: run => { network.push(run) },
    offNetworkStatusChange: run => { network.splice(0, network.length, ...network.filter(one => run && one !== run)) },
    getUpdateManager: () => ({ onCheckForUpdate() {}, onUpdateReady() {}, onUpdateFailed() {}, applyUpdate() {} }),
    getLogManager: () => console,
    getRealtimeLogManager: () => ({ ...console, addFilterMsg() {}, setFilterMsg() {} }),
    getPerformance: () => ({ now: () => clock.elapsed(), createObserver: () => ({ observe() {}, disconnect() {} }) }),
    setClipboardData: make('setClipboardData', ({ data }) => { clipboard = data }),
    getClipboardData: make('getClipboardData', () => ({ data: clipboard })),
    requestPayment: make('requestPayment', () => { throw new Failure('cancel') }),
    scanCode: make('scanCode', () => link.call('scanCode').then(({ result }) => ({ result, scanType: 'QR_CODE', charSet: 'UTF-8', path: '' }))),
    getLocation: make('getLocation', () => ({ latitude: 23.09994, longitude: 113.32452, speed: -1, accuracy: 65 })),
    nextTick: run => { clock.set(run, 0) },
    canIUse: name => name.split('.')[0] in wx || /^[a-z-]+$/.test(name.split('.')[0]),
  }
  for (const name of nothing) wx[name] = make(name, () => ({}))
  const online = fine => {
    screen.online = fine
    for (const run of [...network]) clock.deliver(() => run({ isConnected: fine, networkType: fine ? 'wifi' : 'none' }))
  }
  return { wx, online }
}
