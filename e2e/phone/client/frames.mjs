// Frames of WebSocket (RFC 6455, section 5), both sides.

import { randomBytes } from 'node:crypto'

export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/** One frame. A client's are masked. */
export function frame(opcode, payload, masked) {
  const { length } = payload
  const head = length < 126 ? Buffer.alloc(2) : length < 65536 ? Buffer.alloc(4) : Buffer.alloc(10)
  head[0] = 0x80 | opcode
  head[1] = length < 126 ? length : length < 65536 ? 126 : 127
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  if (!masked) return Buffer.concat([head, payload])
  head[1] |= 0x80
  const mask = randomBytes(4)
  return Buffer.concat([head, mask, toggle(payload, mask)])
}

export function closing(code, reason) {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code, 0)
  payload.write(reason, 2)
  return payload
}

/** Bytes in, whole messages out: `take(bytes)` calls `message(opcode, payload)`. */
export class Frames {
  constructor(message) {
    this.message = message
    this.rest = Buffer.alloc(0)
    this.parts = []
    this.opcode = 0
  }

  take(bytes) {
    this.rest = Buffer.concat([this.rest, bytes])
    for (;;) {
      const { rest } = this
      if (rest.length < 2) return
      let length = rest[1] & 0x7f
      let at = 2
      if (length === 126) {
        if (rest.length < 4) return
        length = rest.readUInt16BE(2)
        at = 4
      } else if (length === 127) {
        if (rest.length < 10) return
        length = Number(rest.readBigUInt64BE(2))
        at = 10
      }
      const masked = (rest[1] & 0x80) !== 0
      const end = at + (masked ? 4 : 0) + length
      if (rest.length < end) return
      const payload = masked ? toggle(rest.subarray(at + 4, end), rest.subarray(at, at + 4)) : Buffer.from(rest.subarray(at, end))
      this.rest = rest.subarray(end)
      this.whole(rest[0] & 0x0f, (rest[0] & 0x80) !== 0, payload)
    }
  }

  whole(opcode, last, payload) {
    if (opcode >= CLOSE) return this.message(opcode, payload)
    if (opcode !== 0) this.opcode = opcode
    this.parts.push(payload)
    if (last) this.message(this.opcode, Buffer.concat(this.parts.splice(0)))
    return undefined
  }
}

function toggle(payload, mask) {
  const out = Buffer.alloc(payload.length)
  for (let at = 0; at < payload.length; at += 1) out[at] = payload[at] ^ mask[at % 4]
  return out
}
