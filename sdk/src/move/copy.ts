/* eslint-disable @typescript-eslint/no-explicit-any */

/**
 * What a request was given, for later: the platform reads it at the call, and the caller may use its objects again. Plain objects,
 * lists and bytes are copied; all else, such as an object with a class of its own, is passed on as it is.
 */
export function copy(value: any): any {
  if (Array.isArray(value)) return value.map(copy)
  if (!value || typeof value !== 'object') return value
  if ({}.toString.call(value) === '[object ArrayBuffer]') return value.slice(0)
  if (ArrayBuffer.isView(value)) return (value as any).slice ? (value as any).slice() : value
  // By its place in the chain: another realm's is none of ours.
  const above = Object.getPrototypeOf(value)
  if (above && Object.getPrototypeOf(above)) return value
  const copied: any = {}
  Object.keys(value).forEach(name => (copied[name] = copy(value[name])))
  return copied
}
