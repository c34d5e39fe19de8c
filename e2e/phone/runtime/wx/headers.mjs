// The headers of an answer as an app sees them, which differs from phone to phone.

const CASES = {
  lower: name => name.toLowerCase(),
  upper: name => name.toUpperCase(),
  title: name => name.toLowerCase().replace(/(^|-)[a-z]/g, letter => letter.toUpperCase()),
}

/** One value a name; several of the same are joined, Set-Cookie in the way of this phone. */
export function headerOf(pairs, quirks) {
  const named = CASES[quirks.headerCase] ?? (name => name)
  const header = {}
  for (const [name, value] of pairs) {
    const key = named(name)
    if (name.toLowerCase() === 'set-cookie' && quirks.setCookie === 'array') header[key] = [...(header[key] ?? []), value]
    else if (name.toLowerCase() === 'set-cookie' && quirks.setCookie === 'semicolon') header[key] = key in header ? `${header[key]};${value}` : value
    else header[key] = key in header ? `${header[key]},${value}` : value
  }
  return header
}

/** `res.cookies`, from base library 2.10.0 on. */
export function cookiesOf(pairs, quirks) {
  if (quirks.noCookies) return undefined
  return pairs.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value)
}
