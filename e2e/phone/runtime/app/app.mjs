// The app itself: App(), getApp(), and what it is told.

import { guard } from '../clock.mjs'

export class App {
  constructor(launch) {
    this.launch = launch
    this.instance = undefined
    this.listeners = { onAppShow: [], onAppHide: [], onError: [], onUnhandledRejection: [] }
  }

  globals() {
    return {
      App: options => this.register(options),
      getApp: () => this.instance,
    }
  }

  register(options) {
    if (this.instance) throw new Error('App() may be called once only')
    this.instance = options
    this.call('onLaunch', this.launch)
    this.call('onShow', this.launch)
  }

  call(name, ...args) {
    const run = this.instance?.[name]
    if (typeof run === 'function') guard(() => run.apply(this.instance, args))
  }

  /** wx.onAppShow and its like, with their `off`. */
  subscriptions() {
    const wx = {}
    for (const [name, list] of Object.entries(this.listeners)) {
      wx[name] = run => { list.push(run) }
      wx[name.replace('on', 'off')] = run => {
        const at = list.indexOf(run)
        if (at >= 0) list.splice(at, 1)
        else if (run === undefined) list.length = 0
      }
    }
    return wx
  }

  shown() {
    this.call('onShow', this.launch)
    this.tell('onAppShow', this.launch)
  }

  hidden() {
    this.call('onHide')
    this.tell('onAppHide')
  }

  failed(error) {
    this.call('onError', String(error?.stack ?? error))
    this.tell('onError', { message: String(error?.message ?? error), stack: error?.stack })
  }

  tell(name, ...args) {
    for (const run of [...this.listeners[name]]) guard(() => run(...args))
  }
}
