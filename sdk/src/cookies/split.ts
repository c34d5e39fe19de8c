/** As much of a response as the platforms agree on. */
export interface Response {
  cookies?: string[]
  header?: Record<string, string | string[]>
}

// Those of the RFCs and of browsers. Another name right behind a ';' is another cookie: see `joints`.
const ATTRIBUTES = /^(expires|max-age|domain|path|secure|httponly|samesite|partitioned|priority|version|comment|commenturl|discard|port)$/i

/**
 * Every Set-Cookie of a response, one a line, whatever the platform made of them: an array in `cookies` (WeChat), or a
 * header in any case as an array (uploads and downloads on iOS) or as one string, joined by ',' (most), by ';' (QQ on
 * Android) or by line breaks.
 */
export function setCookieLines(response: Response): string[] {
  // Where there is `cookies` it is the better copy: nothing was joined there.
  if (Array.isArray(response.cookies) && response.cookies.length) return linesOf(response.cookies)
  const header = response.header || {}
  let lines: string[] = []
  for (const name of Object.keys(header)) {
    if (name.toLowerCase() === 'set-cookie') lines = lines.concat(linesOf(header[name]))
  }
  return lines
}

function linesOf(value: unknown): string[] {
  if (typeof value === 'string') return splitJoined(value, true)
  if (!Array.isArray(value)) return []
  let lines: string[] = []
  for (const element of value) {
    if (typeof element === 'string') lines = lines.concat(splitJoined(element, false))
  }
  return lines
}

/**
 * Takes apart what may be several cookies. `whole`: the text is a header that a platform has joined. Otherwise it is an
 * element of an array, one cookie by right, so that a comma in its value is part of the value.
 */
export function splitJoined(text: string, whole: boolean): string[] {
  const lines: string[] = []
  let start = 0
  let inValue = true
  let i = afterQuotes(text, 0)
  while (i < text.length) {
    const character = text.charAt(i)
    if (joints(text, i, character, whole, inValue)) {
      lines.push(text.slice(start, i))
      start = i + 1
      inValue = true
      i = afterQuotes(text, start)
      continue
    }
    if (character === ';') inValue = false
    i++
  }
  lines.push(text.slice(start))
  return lines.map(line => line.trim()).filter(line => line)
}

/** Whether another cookie begins behind `i`. */
function joints(text: string, i: number, character: string, whole: boolean, inValue: boolean): boolean {
  if (character === '\n') return true
  // A date's comma has a blank and a number before the next '=' or ';', another cookie has a name and '='.
  if (character === ',') return (whole || !inValue) && nameAt(text, i + 1, true) !== ''
  if (character !== ';' || !whole) return false
  // QQ puts no blank behind the ';' that joins. An attribute that nobody knows, with its blank, stays an attribute.
  const name = nameAt(text, i + 1, false)
  return name !== '' && !ATTRIBUTES.test(name)
}

/** The name in front of the '=' that comes next, or ''. */
function nameAt(text: string, from: number, blanks: boolean): string {
  let start = from
  while (blanks && (text.charAt(start) === ' ' || text.charAt(start) === '\t')) start++
  for (let i = start; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '=') return text.slice(start, i)
    if (' \t\n;,"'.indexOf(character) >= 0) return ''
  }
  return ''
}

/** Behind a quoted value, which may hold anything, if the cookie at `start` has one; else `start`. */
function afterQuotes(text: string, start: number): number {
  const opening = /^[^=;,"]*=[ \t]*"/.exec(text.slice(start))
  if (!opening) return start
  const from = start + opening[0].length
  const closing = text.indexOf('"', from)
  // Only if the quotes end with the value: else they are a character of it like any other.
  return closing >= 0 && /^[ \t]*([;,\n]|$)/.test(text.slice(closing + 1)) ? closing + 1 : start
}
