/**
 * The caller's own Cookie header and the jar's cookies in one. The caller's stays as it is, and where both name a cookie
 * the caller's goes: who writes the header by hand means it.
 */
export function mergeCookies(given: string | undefined, ours: string | undefined): string | undefined {
  if (!given || !given.trim()) return ours || undefined
  if (!ours) return given
  const names = given.split(';').map(nameOf)
  const added = ours.split('; ').filter(pair => names.indexOf(nameOf(pair)) < 0)
  return [given.trim().replace(/[;\s]+$/, '')].concat(added).join('; ')
}

function nameOf(pair: string): string {
  return pair.split('=')[0].trim()
}
