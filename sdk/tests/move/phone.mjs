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

/** With the move's own part at hand, and what it has told. */
export function installed(phone, more = {}) {
  phone.move = phone.load('move').move()
  phone.told = []
  phone.move.onChange(side => phone.told.push(side))
  phone.install({ move: phone.move, ...more })
  return phone
}

export const restarted = (phone, more) => installed(phone.restart(), more)

/** As the old code asks: the cookie by hand. */
export const old = (path = '/mine', more = {}) => ({ url: shop + path, header: { cookie: 'JSESSIONID=7' }, ...more })

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
