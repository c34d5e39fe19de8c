// The jar under a client: what back ends set comes back to them with signed requests.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

function withJar(options = {}, more = {}) {
  const phone = new Phone(options)
  phone.install({ jar: phone.load('cookies').cookieJar(), ...more })
  return phone
}

const setting = (phone, line) => {
  phone.server.backEnd = () => ({ status: 200, headers: { 'Set-Cookie': line }, body: {} })
}

const sent = phone => phone.server.log.at(-1).headers.cookie

test('a cookie that an answer sets goes with the next request', async () => {
  for (const name of ['Set-Cookie', 'set-cookie']) {
    const phone = withJar({ headerCase: key => key.toLowerCase() === 'set-cookie' ? name : key })
    setting(phone, 'cart=7; Path=/')
    await phone.request(`${shop}/cart`)
    assert.equal(sent(phone), undefined)
    await phone.request(`${shop}/orders`)
    assert.equal(sent(phone), 'cart=7')
  }
})

test("uploads, whose answer has no header, set cookies too", async () => {
  const phone = withJar()
  setting(phone, 'cart=7; Path=/')
  await phone.clock.until(new Promise((success, fail) =>
    phone.wx.uploadFile({ url: `${shop}/photo`, filePath: 'wxfile://tmp', name: 'photo', success, fail })))
  await phone.request(`${shop}/orders`)
  assert.equal(sent(phone), 'cart=7')
})

test("the caller's own cookies stay, and nothing of the caller's is changed", async () => {
  const phone = withJar()
  setting(phone, 'cart=7; Path=/')
  await phone.request(`${shop}/cart`)
  const header = { cookie: 'cart=9; theme=dark' }
  await phone.request({ url: `${shop}/orders`, header })
  assert.equal(sent(phone), 'cart=9; theme=dark')
  assert.deepEqual(header, { cookie: 'cart=9; theme=dark' })
  await phone.request({ url: `${shop}/orders`, header: { Cookie: 'theme=dark' } })
  assert.equal(sent(phone), 'theme=dark; cart=7')
})

test('cookies go to no other host', async () => {
  const phone = withJar()
  setting(phone, 'cart=7; Path=/')
  await phone.request(`${shop}/cart`)
  await phone.request('https://weather.example/')
  assert.deepEqual(Object.keys(phone.foreign[0].headers).filter(name => /cookie/i.test(name)), [])
})

test('cookies with an end are there after a restart', async () => {
  const phone = withJar()
  setting(phone, 'cart=7; Path=/; Max-Age=1000')
  await phone.request(`${shop}/cart`)
  await phone.clock.advance(1000)
  const again = phone.restart()
  again.install({ jar: again.load('cookies').cookieJar() })
  await again.request(`${shop}/orders`)
  assert.equal(sent(again), 'cart=7')
})
