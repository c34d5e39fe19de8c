/* eslint-disable @typescript-eslint/no-explicit-any */
import { attempt } from '../util'

/**
 * What a request was given, for later: the platform reads it at the call, and the caller may use its objects again. An object of the
 * caller's own, whatever its class: it is not the caller's that we change.
 */
export function given(options: any): any {
  const seen = new Map()
  const copied: any = {}
  // The platform reads what is inherited, too; and may never ask for what can't be read.
  for (const name in options) attempt(() => (copied[name] = copy(options[name], seen)))
  return copied
}

/**
 * Plain objects and lists are copied, each once, however often and wherever it is found, and bytes; all else, such as an object with
 * a class of its own, is passed on as it is. So is what can't be read, or lies too deep: the platform may not want it.
 */
function copy(value: any, seen: Map<unknown, unknown>): any {
  if (!value || typeof value !== 'object') return value
  if (seen.has(value)) return seen.get(value)
  try {
    if ({}.toString.call(value) === '[object ArrayBuffer]') return value.slice(0)
    // (`slice` of a class of its own, as `Buffer` has it, copies nothing.)
    if (ArrayBuffer.isView(value)) return Uint8Array.prototype.slice.call(value)
    const isList = Array.isArray(value)
    // By its place in the chain: another realm's is none of ours.
    let above = Object.getPrototypeOf(value)
    if (isList) above = Object.getPrototypeOf(above)
    if (above && Object.getPrototypeOf(above)) return value
    const copied: any = isList ? [] : {}
    if (isList) copied.length = value.length
    seen.set(value, copied)
    Object.keys(value).forEach(name => {
      // By definition, as this may be a field's name: JSON has no prototypes.
      if (name === '__proto__') Object.defineProperty(copied, name, { enumerable: true, writable: true })
      copied[name] = copy(value[name], seen)
    })
    return copied
  } catch (_) {
    seen.set(value, value)
    return value
  }
}
