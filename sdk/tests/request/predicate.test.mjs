// Back ends that say "not logged in" in their own way.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const open = async (more, options) => {
  const phone = new Phone(options)
  phone.install(more)
  await phone.request(`${shop}/first`)
  return phone
}
const to = (phone, path) => phone.server.log.filter(r => r.url.includes(path))

test('200 with an errno: isUnauthorized logs in again and repeats a GET, and never a POST', async () => {
  for (const errno of [501, 401, 'A00004', 110002]) {
    const phone = await open({ isUnauthorized: res => res.data.errno === errno })
    await phone.clock.advance(15000)
    let first = true
    phone.server.backEnd = () => {
      const body = first ? { errno } : { errno: 0 }
      first = false
      return { status: 200, body }
    }
    assert.equal((await phone.request(`${shop}/a`)).data.errno, 0)
    assert.equal(phone.count('login'), 2)
    await phone.clock.advance(15000)
    first = true
    const res = await phone.request({ url: `${shop}/b`, method: 'POST', data: {} })
    assert.equal(res.data.errno, errno)
    assert.equal(to(phone, '/b').length, 1)
    assert.equal((await phone.request(`${shop}/c`)).data.errno, 0)
  }
})

test('a predicate that asks for a body is asked of downloads and of null, too: they pass', async () => {
  const phone = await open({ isUnauthorized: res => res.data.errno === 501 })
  await phone.clock.advance(15000)
  const file = await phone.run(new Promise((success, fail) => phone.wx.downloadFile({ url: `${shop}/a`, success, fail })))
  assert.equal(file.statusCode, 200)
  phone.server.backEnd = () => ({ status: 200, body: null })
  assert.equal((await phone.request({ url: `${shop}/a`, method: 'POST' })).data, null)
  assert.equal(phone.count('login'), 1)
})

test('a predicate that is always true costs no login for each request', async () => {
  const phone = await open({ isUnauthorized: () => true })
  for (let i = 0; i < 60; i++) {
    assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
    await phone.clock.advance(1000)
  }
  assert.ok(phone.count('login') < 10, String(phone.count('login')))
})

test('a guest whom the back end never knows is not logged in anew all day', async () => {
  const phone = await open({ isUnauthorized: res => !!res.data.errno })
  phone.server.backEnd = () => ({ status: 200, body: { errno: 501 } })
  for (let i = 0; i < 240; i++) {
    assert.equal((await phone.request(`${shop}/a`)).data.errno, 501)
    await phone.clock.advance(15000)
  }
  assert.ok(phone.count('login') < 16, String(phone.count('login')))
})

test('a back end that forgets before we do is cured each time', async () => {
  const phone = await open({ isUnauthorized: res => !!res.data.errno })
  for (let i = 0; i < 20; i++) {
    await phone.clock.advance(25 * 60000)
    let first = true
    phone.server.backEnd = () => {
      const body = { errno: first ? 501 : 0 }
      first = false
      return { status: 200, body }
    }
    assert.equal((await phone.request(`${shop}/a`)).data.errno, 0)
  }
})
