import { field, setFields, type Headers } from './headers'
import { form } from './url'

/**
 * What of a request's `data` goes into the query, and what is its body (undefined: it has none). Serialised by us: a native
 * client would do it after the signature.
 */
export function content(method: string, data: unknown, headers: Headers): { _query: string; _body?: string | ArrayBuffer } {
  const isObject = typeof data === 'object' && data
  // Of an object no text is asked: one without a prototype has none.
  const text = isObject ? '' : String(data ?? '')
  if (isBodiless(method)) return { _query: isObject ? form(data as Record<string, unknown>) : text }
  let _body: string | ArrayBuffer = text
  const type = field(headers, 'content-type')
  // WeChat adds this one by itself; what is set by us is the same everywhere.
  if (!type) setFields(headers, { 'content-type': 'application/json' })
  // Buffers of another realm are not instances of ours.
  // Copied, as the platform does at the call: the session may take a while, and the caller goes on with its buffer.
  if ({}.toString.call(data) === '[object ArrayBuffer]') _body = (data as ArrayBuffer).slice(0)
  else if (ArrayBuffer.isView(data)) _body = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer
  else if (isObject) _body = /form-url/i.test(type) ? form(data as Record<string, unknown>) : JSON.stringify(data)
  return { _query: '', _body }
}

export const isBodiless = (method: string): boolean => /^(GET|HEAD)$/.test(method)
