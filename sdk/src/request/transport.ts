import type { Engine } from '../session/state'
import type { Headers } from './headers'

/** Sends once by the platform. `attach` is given the platform's task. */
export function transport(
  e: Engine,
  kind: string,
  options: object,
  fields: Headers,
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  attach?: (task: any) => void,
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
): Promise<{ raw: any; header: Headers }> {
  return new Promise((done, fail) => {
    let seen: Headers | undefined
    const task = e._native._get(kind)!(
      Object.assign({}, options, {
        header: fields,
        // Alipay's name of the same (its documentation; not tried), as `headers` in its answers.
        headers: fields,
        // eslint-disable-next-line @typescript-eslint/no-explicit-any
        success: (raw: any) => done({ raw, header: raw.header || raw.headers || seen || {} }),
        fail,
        complete: undefined,
      }),
    )
    // An upload's answer has no header fields of its own.
    if (kind !== 'request' && task && task.onHeadersReceived) {
      task.onHeadersReceived((result: { header: Headers }) => (seen = result.header))
    }
    if (task && attach) attach(task)
  })
}
