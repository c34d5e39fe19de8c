// Text and bytes for the line, which carries JSON.

export function toBase64(buffer) {
  const bytes = new Uint8Array(buffer.buffer ?? buffer, buffer.byteOffset ?? 0, buffer.byteLength)
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(text)
}

export function fromBase64(text) {
  const raw = atob(text)
  const bytes = new Uint8Array(raw.length)
  for (let at = 0; at < raw.length; at += 1) bytes[at] = raw.charCodeAt(at)
  return bytes.buffer
}

export const utf8 = text => new TextEncoder().encode(text).buffer
export const text = buffer => new TextDecoder().decode(buffer)

/** A body as it goes over the line. */
export function pack(body) {
  if (body === undefined) return undefined
  return typeof body === 'string' ? { text: body } : { base64: toBase64(body) }
}

/** And as bytes again. */
export function unpack(body) {
  if (!body) return new ArrayBuffer(0)
  return body.text === undefined ? fromBase64(body.base64) : utf8(body.text)
}

export function join(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    all.set(new Uint8Array(part), at)
    at += part.byteLength
  }
  return all.buffer
}
