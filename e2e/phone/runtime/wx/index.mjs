// wx: all of its parts, and what is odd about this phone's.

import { account } from './account.mjs'
import { maker } from './call.mjs'
import { Files } from './files.mjs'
import { userInterface } from './interface.mjs'
import { Network } from './network.mjs'
import { Sockets } from './socket.mjs'
import { Storage } from './storage.mjs'
import { system } from './system.mjs'

/** `{ wx, network, sockets, online }`. `promise` answers the Promise that the app has. */
export function makeWx(parts, hello, app, promise) {
  const { clock, quirks } = parts
  const make = maker(clock, promise)
  const files = new Files()
  const network = new Network({ ...parts, files })
  const sockets = new Sockets(parts)
  const storage = new Storage(parts, hello.storage)
  const phone = system(parts, hello, make)
  const wx = phone.wx
  Object.assign(wx, network.api(), sockets.api(), storage.api(make), files.api(make), account(parts, hello, make), userInterface(parts, make), app.subscriptions())
  wx.getLaunchOptionsSync = wx.getEnterOptionsSync = () => app.launch
  wx.exitMiniProgram = make('exitMiniProgram', () => parts.background())
  return { wx: odd(wx, quirks), network, sockets, online: phone.online }
}

function odd(wx, quirks) {
  if (quirks.accessorRequest) {
    for (const name of ['request', 'uploadFile', 'downloadFile', 'connectSocket']) {
      const value = wx[name]
      Object.defineProperty(wx, name, { get: () => value, set: () => {}, enumerable: true, configurable: true })
    }
  }
  return quirks.frozenWx ? Object.freeze(wx) : wx
}
