/* eslint-disable @typescript-eslint/no-explicit-any */
import { clientOf, functionsOf } from './client'
import { patch } from './patch'
import { globalOf } from './platform/native'
import type { Client, Options } from './types'

export type * from './types'

let current: Client | undefined

/** A client that patches nothing. It is complete on its own. */
export const createClient = (options: Options): Client => clientOf(options).client

/**
 * Puts the session under `wx.request`, `uploadFile`, `downloadFile` and `connectSocket`: requests to the server's hosts are
 * signed, the rest is left as it is. `installed` of the client says whether it took; the client works either way. A second
 * call gives the first one's client.
 */
export function install(options: Options): Client {
  const global = globalOf(options.platform)
  // Two copies of this package in one mini program must not sign twice.
  const there: Client | undefined = (global.request || {}).yaopai || current
  if (there && there.installed) return (current = there)
  const { client, engine } = clientOf(options)
  const functions = functionsOf(engine)
  ;(functions.request as any).yaopai = client
  const back = patch(global, functions)
  const mine = client as { -readonly [K in keyof Client]: Client[K] }
  const { uninstall } = mine
  mine.installed = !!back
  mine.uninstall = () => {
    uninstall()
    if (back) back()
    mine.installed = false
    if (current === client) current = undefined
  }
  return (current = client)
}

/** The client that was installed. */
export function client(): Client {
  if (!current) throw new Error('yaopai: install() comes first, in app.js')
  return current
}
