/* eslint-disable @typescript-eslint/no-explicit-any */
import type { Engine } from '../session/state'
import { merge } from '../util'
import type { Headers } from './headers'

/** Sends once by the platform. `attach` is given the platform's task. */
export const transport = (
  e: Engine,
  kind: string,
  options: object,
  fields: Headers,
  attach?: (task: any) => void,
): Promise<{ raw: any; header: Headers }> =>
  new Promise((done, fail) => {
    let seen: Headers
    const task = e._native._had[kind](
      merge(options, {
        header: fields,
        // Alipay's name of the same, from its documentation; not tried. So are `headers` and `status` in its answers.
        headers: fields,
        success: (raw: any) => done({ raw, header: raw.header || raw.headers || seen || {} }),
        fail,
        complete: undefined,
        // For `functionsOf`: another client may stand behind what we call.
        yaopai: 1,
      }),
    )
    if (task) {
      // An upload's answer has no header fields of its own.
      if (kind !== 'request' && task.onHeadersReceived) {
        task.onHeadersReceived(({ header }: { header: Headers }) => (seen = header))
      }
      if (attach) attach(task)
    }
  })
