const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec'
// What may stand between the parts of a date: RFC 6265 §5.1.1, `delimiter`.
const DELIMITERS = /[\t\u0020-\u002f\u003b-\u0040\u005b-\u0060\u007b-\u007e]+/

/** An Expires in milliseconds, or nothing if it isn't a date: RFC 6265 §5.1.1, which takes all that servers ever sent. */
export function cookieDate(text: string): number | undefined {
  let time: number[] | undefined
  let day: number | undefined
  let month: number | undefined
  let year: number | undefined
  for (const token of text.split(DELIMITERS)) {
    const clock = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(\D|$)/.exec(token)
    if (!time && clock) {
      time = [Number(clock[1]), Number(clock[2]), Number(clock[3])]
      continue
    }
    if (day === undefined && /^\d{1,2}(\D|$)/.test(token)) {
      day = parseInt(token, 10)
      continue
    }
    const named = token.length < 3 ? -1 : MONTHS.indexOf(token.slice(0, 3).toLowerCase())
    if (month === undefined && named >= 0 && named % 3 === 0) {
      month = named / 3
      continue
    }
    if (year === undefined && /^\d{2,4}(\D|$)/.test(token)) year = parseInt(token, 10)
  }
  if (!time || day === undefined || month === undefined || year === undefined) return undefined
  if (year < 70) year += 2000
  else if (year < 100) year += 1900
  if (day < 1 || day > 31 || year < 1601 || time[0] > 23 || time[1] > 59 || time[2] > 59) return undefined
  const at = new Date(Date.UTC(year, month, day, time[0], time[1], time[2]))
  // 31 February is no date, and must not become 3 March.
  return at.getUTCDate() === day ? at.getTime() : undefined
}
