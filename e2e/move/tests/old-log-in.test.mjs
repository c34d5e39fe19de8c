// The old mini program's log-in, when something fails under way: the gateway cuts it, the network, WeChat. A real one tries it again, or its
// pages wait for ever.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Program } from '../program.mjs'

const before = fileURLToPath(new URL('../../../examples/old-miniprogram/before', import.meta.url))
const COOKIE = { 'Set-Cookie': 'JSESSIONID=7; Path=/; HttpOnly' }
const cut = { statusCode: 502, header: { 'Yaopai-Code': 'upstream_failed' }, data: { code: 'upstream_failed', status: 502 } }

/** A phone on which the first log-in meets `fault`; after it all goes well. */
function phoneWith(fault) {
  const phone = { skew: 0, codes: 0, logins: 0 }
  phone.wx = {
    login({ success, fail }) {
      if (++phone.codes === 1 && fault === 'wx.login') return fail?.({ errMsg: 'login:fail' })
      success({ code: 'c' })
    },
    request({ url, header = {}, success, fail }) {
      if (url.endsWith('/login')) {
        if (++phone.logins > 1 || fault === 'wx.login') return success({ statusCode: 200, header: COOKIE, data: { errno: 0 } })
        return fault === 'network' ? fail?.({ errMsg: 'request:fail timeout' }) : success(fault)
      }
      const isIn = header.cookie === 'JSESSIONID=7'
      success({ statusCode: 200, header: {}, data: isIn ? { errno: 0, name: '李雷', cart: [], booked: [] } : { errno: 501 } })
    },
  }
  return phone
}

const FAULTS = {
  'cut under way by the gateway': cut,
  'refused for a moment': { statusCode: 503, header: { 'Yaopai-Code': 'unavailable' }, data: { code: 'unavailable' } },
  'an error of the club’s, which sets a cookie all the same': { statusCode: 500, header: COOKIE, data: { errno: 500 } },
  'no network': 'network',
  'no code of WeChat’s': 'wx.login',
}

for (const [name, fault] of Object.entries(FAULTS)) {
  test(`the log-in of old, ${name}: tried again, and the page that waits is shown`, async () => {
    const phone = phoneWith(fault)
    const program = new Program(before, phone)
    const shown = new Promise(done => program.open('mine', done).onShow())
    const seen = await Promise.race([shown, wait(10_000)])
    assert.equal(seen?.name, '李雷')
    assert.equal(phone.codes, 2)
  })
}
