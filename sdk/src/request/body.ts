import { field, setField, type Headers } from './headers'
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
  let type = field(headers, 'content-type')
  // WeChat adds this one by itself; what is set by us is the same everywhere.
  if (!type) setField(headers, 'Content-Type', (type = 'application/json'))
  // Buffers of another realm are not instances of ours.
  // Copied, as the platform does at the call: the session may take a while, and the caller goes on with its buffer.
  if ({}.toString.call(data) === '[object ArrayBuffer]') return { _query: '', _body: (data as ArrayBuffer).slice(0) }
  if (ArrayBuffer.isView(data)) {
    return { _query: '', _body: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer }
  }
  return {
    _query: '',
    _body: isObject ? (/form-url/i.test(type) ? form(data as Record<string, unknown>) : JSON.stringify(data)) : text,
  }
}

export const isBodiless = (method: string): boolean => method === 'GET' || method === 'HEAD'
