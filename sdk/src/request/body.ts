import { field, setField, type Headers } from './headers'
import { form } from './url'

/**
 * What of a request's `data` goes into the query, and what is its body (undefined: it has none). Serialised by us: a native
 * client would do it after the signature.
 */
export function content(method: string, data: unknown, headers: Headers): { _query: string; _body?: string | ArrayBuffer } {
  const isObject = typeof data === 'object' && data
  const text = data === undefined || data === null ? '' : String(data)
  if (isBodiless(method)) return { _query: isObject ? form(data as Record<string, unknown>) : text }
  let type = field(headers, 'content-type')
  // WeChat adds this one by itself; what is set by us is the same everywhere.
  if (!type) setField(headers, 'Content-Type', (type = 'application/json'))
  // Buffers of another realm are not instances of ours.
  if (text === '[object ArrayBuffer]') return { _query: '', _body: data as ArrayBuffer }
  if (ArrayBuffer.isView(data)) {
    return { _query: '', _body: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer }
  }
  return {
    _query: '',
    _body: isObject ? (/form-url/i.test(type) ? form(data as Record<string, unknown>) : JSON.stringify(data)) : text,
  }
}

export const isBodiless = (method: string): boolean => method === 'GET' || method === 'HEAD'
