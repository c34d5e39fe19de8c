/** Header fields as platforms hand them over: any case, a string or a list. */
export type Headers = Record<string, string | string[]>

/** A field whatever its case, or empty. Some network modes of WeChat change the case. `name` in small letters. */
export function field(headers: Headers, name: string): string {
  for (const key in headers) if (key.toLowerCase() === name) return String(headers[key])
  return ''
}

/** Sets fields in place of any spelling of them. */
export function setFields(headers: Headers, fields: Headers): void {
  for (const name in fields) {
    for (const key in headers) if (key.toLowerCase() === name.toLowerCase()) delete headers[key]
    headers[name] = fields[name]
  }
}
