// tough-cookie, the jar of most Node programs: reads sequences, writes for each what each request sends.
import { createInterface } from 'node:readline'
import { Cookie, CookieJar } from 'tough-cookie'

// It counts Max-Age from a cookie's last use, so that one in use never ends; RFC 6265 section 5.3 step 3 makes of it an
// instant when the cookie is received. It gets the instant.
function received(line, now) {
  const cookie = Cookie.parse(line)
  if (cookie && typeof cookie.maxAge === 'number') {
    cookie.expires = new Date(cookie.maxAge > 0 ? Math.min(now + cookie.maxAge * 1000, 8.64e15) : 0)
    cookie.maxAge = null
  }
  return cookie
}

const realNow = Date.now
for await (const line of createInterface({ input: process.stdin })) {
  const { start, steps } = JSON.parse(line)
  const jar = new CookieJar(undefined, { prefixSecurity: 'unsafe-disabled' })
  let now = start * 1000
  // It asks the clock what has expired, whatever it is told.
  Date.now = () => now
  const sent = []
  for (const { wait, set, asks } of steps) {
    now += wait * 1000
    if (set) {
      const cookie = received(set.line, now)
      if (cookie) jar.setCookieSync(cookie, `https://${set.host}${set.path}`, { now: new Date(now), ignoreError: true })
    }
    for (const { host, path } of asks) sent.push(jar.getCookieStringSync(`https://${host}${path}`, { now: new Date(now) }) || null)
  }
  console.log(JSON.stringify(sent))
}
Date.now = realNow
