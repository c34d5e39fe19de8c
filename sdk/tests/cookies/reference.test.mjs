// Generated sequences of responses and requests through our jar and through tough-cookie, the jar of most Node programs.
// Where the two are known to differ, REASONS says why; a cookie that a reason has touched is left out of the comparison
// from then on, and every other must be sent by both or by neither, in the same order.
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { Cookie, CookieJar as Tough } from 'tough-cookie'
import { Random } from './random.mjs'
import { cookieJar, DAY, NOW } from './subject.mjs'

const SEQUENCES = Number(process.env.YAOPAI_COOKIE_SEQUENCES || 1000)
const STEPS = 30

const HOSTS = ['shop.com', 'shop.com', 'shop.com', 'www.shop.com', 'www.shop.com', 'www.shop.com', 'a.www.shop.com', 'bank.com', 'shop.com.cn', 'www.shop.com.cn', 'com.cn', '10.0.0.7', '127.0.0.1:8080',
  'shop.github.io', 'WWW.Shop.com:8443']
const DOMAINS = ['shop.com', '.shop.com', 'www.shop.com', 'SHOP.com', 'bank.com', 'com', 'com.cn', 'shop.com.cn', '0.0.7', '10.0.0.7', 'github.io', '',
  '.', 'op.com']
const PATHS = ['/', '', '/a', '/a/', '/a/b', '/a/b/', '/ab', '/a/b/c', '/b/a', '/b/a/']
const NAMES = ['id', 'sid', 'token', 'x', '__Secure-s', '__Host-h', '__host-h']
const VALUES = ['1', '2', 'a=b', '"q"', 'a,b', 'a b', '', ' 7 ']
const DATES = ['Sun, 01 Nov 2026 00:10:00 GMT', 'Sunday, 01-Nov-26 01:00:00 GMT', 'Mon Nov  2 00:00:00 2026', 'Thu, 01 Jan 1970 00:00:00 GMT',
  'Thu, 01-Jan-70 00:00:00 GMT', 'Tue, 19 Jan 2038 03:14:07 GMT', 'Sun, 31 Feb 2027 00:00:00 GMT', 'soon', '']

const REASONS = {
  // We know only the registries of domain.ts, it knows the full list.
  'a suffix that only the full list knows': step => step.line?.domain === 'github.io' && step.host.endsWith('.github.io'),
  // RFC 6265 §5.3 step 5 makes a cookie of that host alone; it drops the cookie.
  'the host is a suffix itself': step => step.host === 'com.cn' && step.line?.domain === 'com.cn',
  // RFC 6265bis §5.7 matches the prefixes in any case, as servers that ignore the case would be fooled otherwise.
  'a prefix in another case': step => step.line?.name === '__host-h',
  // RFC 6265bis §5.7: whoever can write into http must not replace what https has set.
  'http would replace a Secure cookie': (step, before) =>
    !step.safe && before.some(other => other.line?.name === step.line?.name && other.line.secure),
}

function urlOf(random) {
  const scheme = random.pick(['https', 'https', 'https', 'http'])
  const host = random.pick(HOSTS)
  const bare = host.replace(/:.*/, '').toLowerCase()
  const url = `${scheme}://${host}${random.pick(PATHS)}${random.pick(['', '?q=/a/b', '#a'])}`
  return { url, host: bare, safe: scheme === 'https' || bare === '127.0.0.1' }
}

function lineOf(random, host) {
  const name = random.pick(NAMES)
  const attributes = []
  let secure = false
  let domain
  const named = value => {
    attributes.push(`${random.pick(['Domain', 'domain'])}=${value}`)
    if (value) domain = value.replace(/^\./, '').toLowerCase()
  }
  if (random.chance(25)) named(random.pick(DOMAINS))
  else if (random.chance(25)) named(host)
  if (random.chance(50)) attributes.push(`Path=${random.pick(PATHS)}`)
  if (random.chance(name[0] === '_' ? 80 : 30)) {
    secure = true
    attributes.push(random.pick(['Secure', 'secure', 'Secure=no']))
  }
  if (random.chance(30)) attributes.push('HttpOnly')
  if (random.chance(30)) attributes.push(`Max-Age=${random.pick(['0', '-1', '60', '600', '3600', '99999999999', 'x', ''])}`)
  if (random.chance(30)) attributes.push(`Expires=${random.pick(DATES)}`)
  if (random.chance(10)) attributes.push('SameSite=Lax', '')
  for (let i = attributes.length - 1; i > 0; i--) {
    const other = random.int(i + 1)
    ;[attributes[i], attributes[other]] = [attributes[other], attributes[i]]
  }
  return { name, secure, domain, text: [`${name}=${random.pick(VALUES)}`].concat(attributes).join(random.pick(['; ', ';'])) }
}

/**
 * Two more differences are taken out beforehand. It counts Max-Age from a cookie's last use, so that one in use never
 * ends, where RFC 6265 §5.2.2 counts from its arrival. And nothing of ours outlives 400 days.
 */
function forTough(text, now) {
  const cookie = Cookie.parse(text)
  if (!cookie) return undefined
  if (typeof cookie.maxAge === 'number') {
    cookie.expires = new Date(cookie.maxAge > 0 ? Math.min(now + cookie.maxAge * 1000, now + 400 * DAY) : 0)
    cookie.maxAge = null
  }
  if (cookie.expires instanceof Date) cookie.expires = new Date(Math.min(cookie.expires.getTime(), now + 400 * DAY))
  return cookie
}

test(`${SEQUENCES} sequences of ${STEPS} steps, against tough-cookie`, context => {
  const counts = { headers: 0, cookies: 0, 'left out': 0 }
  for (let sequence = 0; sequence < SEQUENCES; sequence++) {
    const random = new Random(10_000_000 + sequence)
    const ours = cookieJar()
    const tough = new Tough(undefined, { prefixSecurity: 'silent', enforceSecureOriginOnStorage: true })
    const before = []
    const apart = new Set()
    let now = NOW
    mock.timers.enable({ apis: ['Date'], now })
    try {
      for (let i = 0; i < STEPS; i++) {
        const where = urlOf(random)
        const step = { ...where, wait: random.pick([0, 0, 1000, 60_000, 600_000]), line: random.chance(60) ? lineOf(random, where.host) : undefined }
        mock.timers.tick(step.wait)
        now += step.wait
        if (step.line) {
          for (const [reason, applies] of Object.entries(REASONS)) {
            if (!applies(step, before)) continue
            apart.add(step.line.name)
            counts[reason] = (counts[reason] || 0) + 1
          }
          ours.take(step.url, { cookies: [step.line.text] }, now)
          // It finds out that a cookie has expired when it reads it, and till then lets it hand on its age; RFC 6265 §5.3 has it gone.
          tough.getCookiesSync(step.url.replace(/^http:/, 'https:'), { allPaths: true })
          const cookie = forTough(step.line.text, now)
          if (cookie) tough.setCookieSync(cookie, step.url, { now: new Date(now), ignoreError: true })
        }
        before.push(step)

        const asked = urlOf(random)
        const all = [ours.header(asked.url, now) || '', tough.getCookieStringSync(asked.url)]
          .map(header => header ? header.split('; ') : [])
        const [a, b] = all.map(pairs => pairs.filter(pair => !apart.has(pair.split('=')[0])))
        assert.deepEqual(a, b, `sequence ${sequence}, asked for ${asked.url}\n${before.map(past =>
          `+${past.wait} ${past.url} ${past.line?.text || ''}`).join('\n')}`)
        counts.headers++
        counts.cookies += a.length
        counts['left out'] += all[0].length - a.length
      }
    } finally {
      mock.timers.reset()
    }
  }
  context.diagnostic(JSON.stringify(counts))
  assert.ok(counts.cookies > 5 * SEQUENCES, 'nothing was compared')
  if (SEQUENCES >= 1000) for (const reason of Object.keys(REASONS)) assert.ok(counts[reason], `a reason without a case: ${reason}`)
})
