// The library against the real server, over HTTP.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startShop } from './shop.mjs'
import { startPhone } from './wx.mjs'

let shop
let offered
before(async () => {
  shop = await startShop()
  offered = await startShop('keyed = "off"')
})
after(() => {
  if (shop) shop.stop()
  if (offered) offered.stop()
})

const form = { form: { name: 'alice', password: 's3cret' } }
const open = (at, person, more = {}) => {
  const phone = startPhone(at, person)
  phone.client = phone.yaopai.install({ app: 'shop', server: at.url, onEnd() {}, ...more })
  return phone
}

test('login, signed requests of every kind, refresh, bind, step-up, logout', async () => {
  const phone = open(shop, 'xiaoming')
  const { client } = phone
  const at = path => shop.url + path
  const first = await Promise.all(Array.from({ length: 100 }, (_, i) => phone.request({ url: at(`/open/${i}`) })))
  assert.ok(first.every(r => r.statusCode === 200))
  assert.equal(phone.logins, 1)
  for (const o of [
    { url: at('/open/茶/铁 观音?名=a b&x=[1]') }, { url: at('/open?a'), data: { q: '茶&', o: { b: 1 } } }, { url: at('/open'), method: 'POST' },
    { url: at('/open'), method: 'POST', data: { a: '茶😀' } }, { url: at('/open'), method: 'PUT', data: 'x'.repeat(65536) },
    { url: at('/open'), method: 'DELETE' }, { url: at("/open/it's?100%"), method: 'POST', data: new Uint8Array([0, 255]).buffer },
  ]) {
    const res = await phone.request(o)
    assert.equal(res.statusCode, 200, JSON.stringify(res))
    assert.equal(res.data.signed === '1', (o.method || 'GET') !== 'GET')
  }
  const photo = await new Promise((success, fail) => phone.wx.uploadFile({ url: at('/photo'), filePath: 'a', name: 'f', success, fail }))
  assert.equal(photo.statusCode, 200, JSON.stringify(photo))
  assert.equal((await phone.request({ url: at('/orders') })).statusCode, 403)
  await assert.rejects(client.bind({ form: { name: 'alice', password: 'no' } }), e => e.code === 'binding_rejected' && /Wrong/.test(e.message))
  phone.lose = '/binding'
  assert.equal((await client.bind(form)).user, 'alice')
  const order = await phone.request({ url: at('/orders'), method: 'POST', data: { n: 1 } })
  assert.equal(order.data.user, 'alice')

  // The phone's clock goes forward by 21 minutes: the next request heals the clock, and the refresh is due.
  const { id } = client.session
  phone.skew = 21 * 60000
  phone.lose = '/session/refresh'
  assert.equal((await phone.request({ url: at('/orders') })).statusCode, 200)
  while (shop.log.filter(r => r.url.endsWith('/refresh')).length < 2) await new Promise(done => setTimeout(done, 50))
  assert.equal(client.session.id, id)

  await new Promise(done => setTimeout(done, 2100))
  const vouched = client.session.vouchedAt
  const pay = await phone.request({ url: at('/pay'), method: 'POST', data: {} })
  assert.equal(pay.statusCode, 200)
  assert.equal(phone.logins, 2)
  assert.ok(client.session.vouchedAt > vouched)

  const again = startPhone(shop, 'xiaoming', phone.storage)
  again.client = again.yaopai.install({ app: 'shop', server: shop.url })
  assert.equal((await again.request({ url: at('/orders') })).statusCode, 200)
  assert.equal(again.logins, 0)
  const devices = await again.client.devices()
  assert.equal(devices.find(d => d.current).session_id, id)
  assert.match(await again.client.ticket(at('/open/chat?room=7'), 'image'), /\?room=7&yaopai_ticket=yt1_/)
  await again.client.logout()
  const late = await phone.request({ url: at('/orders') })
  assert.equal(late.data.code, 'session_ended')
  await assert.rejects(phone.request({ url: at('/orders') }), { code: 'session_ended' })
})

test('unbind steps up by itself, and goes on in a new session without a user', async () => {
  const phone = open(shop, 'lilei')
  await phone.client.bind({ form: { name: 'bob', password: 's3cret' } })
  const { id, user } = phone.client.session
  assert.equal(user, 'bob')
  shop.forget()
  phone.lose = '/binding'
  await phone.client.unbind()
  assert.notEqual(phone.client.session.id, id)
  assert.equal(phone.client.session.bound, false)
  assert.equal((await phone.request({ url: `${shop.url}/orders` })).data.code, 'not_bound')
})

test('a bearer session: rotation, a lost refresh, bind, logout', async () => {
  const phone = open(offered, 'xiaohong', { keyed: 'off' })
  const at = path => offered.url + path
  assert.equal((await phone.request({ url: at('/open') })).statusCode, 200)
  const token = () => JSON.parse(phone.storage.get('yaopai')).token
  const first = token()
  phone.skew = 21 * 60000
  phone.lose = '/session/refresh'
  await phone.request({ url: at('/open') })
  while (token() === first) await new Promise(done => setTimeout(done, 50))
  assert.equal((await phone.request({ url: at('/open') })).statusCode, 200)
  const second = token()
  phone.lose = '/binding'
  assert.equal((await phone.client.bind(form)).user, 'alice')
  assert.notEqual(token(), second)
  assert.equal((await phone.request({ url: at('/orders') })).data.user, 'alice')
  phone.lose = '/session/refresh'
  await phone.client.stepUp()
  assert.equal((await phone.request({ url: at('/orders') })).statusCode, 200)
  assert.equal(phone.logins, 2)
  await phone.client.logout()
  assert.equal(phone.storage.size, 0)
})
