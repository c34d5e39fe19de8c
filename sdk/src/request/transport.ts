/* eslint-disable @typescript-eslint/no-explicit-any */
import type { Engine } from '../session/state'
import { merge } from '../util'
import type { Job } from './carry'
import { field, type Headers } from './headers'

/** An answer, with its header fields also where the platform hands them over apart (uploads, downloads). */
export interface Answer {
  _raw: any
  _header: Headers
  /** Of the refusal, behind nginx too. 0: no answer. */
  _status: number
  /** Empty if the server has not refused it. */
  _code: string
  /** Seconds after which the same may be tried again, or 0. (A proxy's may be a date.) */
  _retry: number
}

/** Sends once by the platform; rejects where there is no answer. */
export const transport = (e: Engine, job: Job, url: string, fields: Headers): Promise<Answer> =>
  new Promise((done, fail) => {
    let seen: Headers
    const task = e._had[job._kind](
      merge(job._options, {
        url,
        header: fields,
        // Alipay's name of the same, from its documentation; not tried. So are `headers` and `status` in its answers.
        headers: fields,
        success(raw: any) {
          const header = raw.header || raw.headers || seen || {}
          done({
            _raw: raw,
            _header: header,
            _code: field(header, 'yaopai-code'),
            _retry: +field(header, 'retry-after') || 0,
            _status: +(field(header, 'yaopai-status') || raw.statusCode || raw.status),
          })
        },
        fail,
        complete: undefined,
        // For `start`: another client may stand behind what we call.
        yaopai: 1,
      }),
    )
    if (task) {
      // An upload's answer has no header fields of its own.
      if (job._kind !== 'request' && task.onHeadersReceived) {
        task.onHeadersReceived(({ header }: { header: Headers }) => (seen = header))
      }
      if (job._attach) job._attach(task)
    }
  })
