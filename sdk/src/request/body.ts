import { field, setField, type Headers } from './headers'
import { form } from './url'

/** What of a request's `data` goes into the query and what is its body. Serialised by us: a native client would do it after the signature. */
export interface Content {
  _query: string
  _body: string | ArrayBuffer
}

export function content(method: string, data: unknown, headers: Headers): Content {
  const kind = Object.prototype.toString.call(data)
  const isObject = typeof data === 'object' && data !== null
  if (method === 'GET' || method === 'HEAD') {
    return { _query: isObject ? form(data as Record<string, unknown>) : data ? String(data) : '', _body: '' }
  }
  let type = field(headers, 'content-type')
  // WeChat adds this one by itself; what is set by us is the same everywhere.
  if (!type) setField(headers, 'Content-Type', (type = 'application/json'))
  if (kind === '[object ArrayBuffer]') return { _query: '', _body: data as ArrayBuffer }
  if (ArrayBuffer.isView(data)) {
    return { _query: '', _body: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer }
  }
  const body = isObject
    ? /x-www-form-urlencoded/i.test(type)
      ? form(data as Record<string, unknown>)
      : JSON.stringify(data)
    : data === undefined || data === null
      ? ''
      : String(data)
  return { _query: '', _body: body }
}
