// A mini program that moves: the library with `yaopai/move`, and requests as the old code makes them.
import assert from 'node:assert/strict'
import { Phone, shop } from '../support/phone.mjs'

/** A phone whose person is on the legacy side; `more` goes to `install`. */
export function legacyPhone(options = {}, more = {}) {
  const phone = new Phone(options)
  phone.server.stayers.add('xiaoming')
  phone.server.legacy = () => ({ status: 200, body: { side: 'legacy' } })
  return installed(phone, more)
}

/** What becomes of calls to our server in an outage; all else goes on. */
export const OUTAGES = {
  'connection refused': (o, later) => later(() => o.fail({ errMsg: 'request:fail errcode:-102 cronet_error_code:-102 error_msg:net::ERR_CONNECTION_REFUSED' }), 5),
  'time-out': (o, later) => later(() => o.fail({ errMsg: 'request:fail timeout' }), 60000),
  'a proxy’s 502': (o, later) => later(() => o.success({ statusCode: 502, header: {}, data: '<html>Bad Gateway</html>' }), 20),
  'unavailable': (o, later) => later(() => o.success({ statusCode: 503, header: { 'Yaopai-Code': 'unavailable', 'Retry-After': '2' }, data: { code: 'unavailable' } }), 20),
  'a back end’s page in our place': (o, later) => later(() => o.success({ statusCode: 200, header: {}, data: { errno: 404 } }), 20),
  'no code of the platform': undefined,
}

/** Options of a phone that meets `phone.outage`, one of those names, until it is over. */
export const breakable = (options = {}) => ({
  ...options,
  wx(wx, phone) {
    const { request, login } = wx
    wx.request = o => {
      const broken = phone.outage && o.url.includes('/yaopai/') && OUTAGES[phone.outage]
      if (!broken) return request(o)
      phone.attempts = (phone.attempts || 0) + 1
      broken(o, (call, ms) => phone.clock.setTimeout(() => phone.isGone || call(), ms))
      return { abort() {}, onHeadersReceived() {}, offHeadersReceived() {} }
    }
    wx.login = o => (phone.outage && !OUTAGES[phone.outage] ? phone.clock.setTimeout(() => phone.isGone || o.fail({ errMsg: 'login:fail' }), 5) : login(o))
    if (options.wx) options.wx(wx, phone)
  },
})

/** With the move's own part at hand, and what it has told. */
export function installed(phone, more = {}) {
  phone.move = phone.load('move').move()
  phone.told = []
  phone.move.onChange(side => phone.told.push(side))
  phone.install({ move: phone.move, ...more })
  return phone
}

export function restarted(phone, more) {
  const next = phone.restart()
  next.outage = phone.outage
  return installed(next, more)
}

/** As the old code asks: the cookie by hand. */
export const old = (path = '/mine', more = {}) => ({ url: shop + path, header: { cookie: 'JSESSIONID=7' }, ...more })

/** One request, for which nobody is kept waiting, asks where the person is; the next one goes there. */
export async function asked(phone) {
  await phone.request(old())
  await phone.clock.advance(1000)
  return phone.request(old())
}

export const logins = phone => phone.server.count('/session', 'POST')

/** Nothing of ours at all, by nobody. */
export function isAsGiven({ headers }) {
  assert.equal(headers.cookie, 'JSESSIONID=7')
  for (const name of ['authorization', 'signature', 'signature-input', 'content-digest']) assert.equal(headers[name], undefined)
}

/** The person was shown nothing. */
export function isSilent(phone) {
  assert.deepEqual([phone.modals, phone.count('navigateTo'), phone.count('redirectTo')], [[], 0, 0])
}
