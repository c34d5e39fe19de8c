import { clientOf, engineOf, functionsOf } from './client'
import { patch } from './patch'
import { globalOf } from './platform/native'
import type { Client, Options } from './types'

export type * from './types'

let current: Client | undefined

/** A client that patches nothing. It is complete on its own. */
export const createClient = (options: Options): Client => clientOf(engineOf(options))

/**
 * Puts the session under `wx.request`, `uploadFile`, `downloadFile` and `connectSocket`: requests to the server's hosts are
 * signed, the rest is left as it is. `installed` of the client says whether it took; the client works either way. A second
 * call gives the first one's client.
 */
export function install(options: Options): Client {
  const global = globalOf(options.platform)
  // Two copies of this package in one mini program must not sign twice.
  const there: Client | undefined = global.request.yaopai || current
  if (there && there.installed) return (current = there)
  const engine = engineOf(options)
  current = clientOf(engine)
  const functions = functionsOf(engine)
  functions.request.yaopai = current
  engine._back = patch(global, functions)
  return current
}

/** The client that was installed, also by another copy of this package (each subpackage may hold one). */
export function client(): Client {
  const there = current || globalOf().request.yaopai
  if (!there) throw new Error('yaopai: install() comes first, in app.js')
  return there
}
