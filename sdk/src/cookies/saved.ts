import { type Cookie } from './store'

// A mini program's storage takes 1 MB under one key, a good part less when it is encrypted.
const LONGEST = 400000

type Row = [string, string, string, string, number | null, number, number]

/** As a text for the storage. What doesn't fit is left out, the longest unused first. */
export function write(cookies: Cookie[]): string {
  const rows: Row[] = cookies.map(cookie => [cookie.name, cookie.value, cookie.domain, cookie.path,
    cookie.expires === undefined ? null : cookie.expires, flags(cookie), cookie.used])
  let text = JSON.stringify({ v: 1, cookies: rows })
  const byUse = rows.slice().sort((a, b) => a[6] - b[6])
  while (text.length > LONGEST && byUse.length) {
    const dropped = byUse.splice(0, Math.ceil(byUse.length / 10))
    text = JSON.stringify({ v: 1, cookies: rows.filter(row => dropped.indexOf(row) < 0 && byUse.indexOf(row) >= 0) })
  }
  return text
}

/** What `write` wrote, the oldest first. Anything else is no cookie: storage is on somebody's phone. */
export function read(text: unknown): Cookie[] {
  let rows: unknown
  try {
    const saved = JSON.parse(text as string) as { v?: number; cookies?: unknown } | null
    rows = saved && saved.v === 1 ? saved.cookies : undefined
  } catch (error) {
    return []
  }
  if (!Array.isArray(rows)) return []
  return rows.filter(isRow).map((row, i) => ({
    name: row[0],
    value: row[1],
    domain: row[2],
    path: row[3],
    expires: row[4] === null ? undefined : row[4],
    secure: (row[5] & 1) !== 0,
    httpOnly: (row[5] & 2) !== 0,
    hostOnly: (row[5] & 4) !== 0,
    created: i + 1,
    used: row[6],
  }))
}

function flags(cookie: Cookie): number {
  return (cookie.secure ? 1 : 0) | (cookie.httpOnly ? 2 : 0) | (cookie.hostOnly ? 4 : 0)
}

function isRow(row: unknown): row is Row {
  return Array.isArray(row) && row.length === 7 && row.slice(0, 4).every(part => typeof part === 'string') &&
    (row[4] === null || typeof row[4] === 'number') && typeof row[5] === 'number' && typeof row[6] === 'number'
}
