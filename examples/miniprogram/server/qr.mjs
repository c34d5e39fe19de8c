// A QR code (ISO/IEC 18004) of one size: version 3, level M, at most 42 bytes, which a bind code is.

const SIZE = 29
const DATA = 44
const CHECK = 26
const TEXT_MAX = 42
// Level M, mask 0, with its BCH code and the standard's own mask (its table C.1).
const FORMAT = 0b101010000010010

const EXP = []
for (let n = 0, value = 1; n < 255; n++) {
  EXP.push(value)
  value = (value << 1) ^ (value > 127 ? 0x11d : 0)
}
const times = (a, b) => (a && b ? EXP[(EXP.indexOf(a) + EXP.indexOf(b)) % 255] : 0)

/** The Reed-Solomon code words of the data. */
function check(data) {
  let generator = [1]
  for (let n = 0; n < CHECK; n++) {
    generator = [...generator, 0].map((c, i) => c ^ times(generator[i - 1] ?? 0, EXP[n]))
  }
  const rest = [...data, ...new Array(CHECK).fill(0)]
  for (let n = 0; n < data.length; n++) {
    const factor = rest[n]
    generator.forEach((c, i) => { rest[n + i] ^= times(c, factor) })
  }
  return rest.slice(data.length)
}

/** Byte mode, the length, the text, an end, and padding. */
function words(text) {
  const bytes = Buffer.from(text)
  if (bytes.length > TEXT_MAX) throw new Error('too long for this QR code')
  const bits = [0b0100, bytes.length >> 4, bytes.length & 15, ...[...bytes].flatMap(byte => [byte >> 4, byte & 15]), 0]
  const data = []
  for (let n = 0; n < bits.length; n += 2) data.push((bits[n] << 4) | bits[n + 1])
  for (let pad = 0xec; data.length < DATA; pad ^= 0xec ^ 0x11) data.push(pad)
  return data
}

/** Rows of 0 and 1. */
export function qr(text) {
  const cells = Array.from({ length: SIZE }, () => new Array(SIZE).fill(undefined))
  const square = (row, column, size, dark) => {
    const inside = (from, n) => n >= Math.max(from, 0) && n < Math.min(from + size, SIZE)
    cells.forEach((line, y) => line.forEach((_, x) => { if (inside(row, y) && inside(column, x)) line[x] = dark }))
  }
  for (const [row, column] of [[0, 0], [0, SIZE - 7], [SIZE - 7, 0]]) {
    square(row - 1, column - 1, 9, 0)
    square(row, column, 7, 1)
    square(row + 1, column + 1, 5, 0)
    square(row + 2, column + 2, 3, 1)
  }
  square(20, 20, 5, 1)
  square(21, 21, 3, 0)
  cells[22][22] = 1
  for (let n = 8; n < SIZE - 8; n++) cells[6][n] = cells[n][6] = (n + 1) % 2
  cells[SIZE - 8][8] = 1
  for (let n = 0; n < 15; n++) {
    const bit = (FORMAT >> n) & 1
    cells[n < 6 ? n : n < 8 ? n + 1 : SIZE - 15 + n][8] = bit
    cells[8][n < 8 ? SIZE - 1 - n : n < 9 ? 7 : 14 - n] = bit
  }
  const data = words(text)
  const bits = [...data, ...check(data)].flatMap(word => [...word.toString(2).padStart(8, '0')].map(Number))
  let next = 0
  for (let right = SIZE - 1, up = true; right > 0; right -= right === 8 ? 3 : 2, up = !up) {
    for (let n = 0; n < SIZE; n++) {
      const row = up ? SIZE - 1 - n : n
      for (const column of [right, right - 1]) {
        if (cells[row][column] === undefined) cells[row][column] = (bits[next++] ?? 0) ^ ((row + column + 1) % 2)
      }
    }
  }
  return cells
}

/** As a picture. */
export function qrSvg(text) {
  const dark = qr(text).flatMap((row, y) => row.flatMap((cell, x) => (cell ? [`M${x} ${y}h1v1h-1z`] : [])))
  return `<svg viewBox="-4 -4 ${SIZE + 8} ${SIZE + 8}" shape-rendering="crispEdges"><path fill="#fff" d="M-4-4h99v99h-99z"/><path d="${dark.join('')}"/></svg>`
}
