// How the client writes `data` by itself.

/** An object becomes part of the URL's query. */
export function query(url, data) {
  const added = typeof data === 'string' ? data : pairs(data)
  if (!added) return url
  const [before, hash] = url.split('#', 2)
  return `${before}${before.includes('?') ? '&' : '?'}${added}${hash === undefined ? '' : `#${hash}`}`
}

/** Or a body, by the content type. */
export function body(data, type) {
  if (data === undefined || data === null) return undefined
  if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) return data
  if (typeof data === 'string') return data
  if (typeof data !== 'object') return String(data)
  return type.toLowerCase().includes('application/x-www-form-urlencoded') ? pairs(data) : JSON.stringify(data)
}

function pairs(data) {
  if (data === undefined || data === null || typeof data !== 'object' || data instanceof ArrayBuffer) return ''
  return Object.entries(data)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(typeof value === 'object' && value !== null ? JSON.stringify(value) : value)}`)
    .join('&')
}
