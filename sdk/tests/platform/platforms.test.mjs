// The other platforms' shapes, as their documentation has them. None was tried on one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

for (const globalName of ['tt', 'swan', 'qq', 'ks']) {
  test(`${globalName}: WeChat's names`, async () => {
    const phone = new Phone({ globalName })
    phone.install()
    assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  })
}

test('my (Alipay): getAuthCode, headers, status, confirm', async () => {
  const phone = new Phone({
    globalName: 'my',
    wx(wx, self) {
      const { request, login, showModal } = wx
      wx.request = o =>
        request({ ...o, header: o.headers, success: r => o.success({ status: r.statusCode, headers: r.header, data: r.data }) })
      delete wx.login
      delete wx.showModal
      delete wx.getRandomValues
      wx.getAuthCode = o => (assert.equal(o.scopes, 'auth_base'), login({ ...o, success: r => o.success({ authCode: r.code }) }))
      wx.confirm = o => showModal(o)
      self.confirms = true
    },
  })
  phone.install()
  assert.equal((await phone.request(`${shop}/a`)).status, 200)
  phone.server.refuse('/b', 'session_kicked', 401)
  await phone.request(`${shop}/b`)
  await phone.clock.advance(1000)
  assert.equal(phone.modals[0].confirmButtonText, '重新登录')
  assert.equal((await phone.request(`${shop}/c`)).status, 200)
})

test('a platform that is named is taken', async () => {
  const phone = new Phone({ noGlobal: true })
  phone.install({ platform: phone.wx })
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
})

test('no random values: nonces and ids are still each their own', async () => {
  const phone = new Phone({ wx: wx => delete wx.getRandomValues })
  phone.install()
  for (let i = 0; i < 20; i++) assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
})

test('Promise as a macrotask, with async functions that are made of it', async () => {
  const { transform } = await import('esbuild')
  const { readFileSync } = await import('node:fs')
  const dist = process.env.YAOPAI_SDK_DIST || new URL('../../miniprogram_dist', import.meta.url).pathname
  const { code } = await transform(readFileSync(`${dist}/index.js`, 'utf8'), { target: 'es2016' })
  // (What the vendor puts in place of async functions has a method of that name.)
  assert.doesNotMatch(code, /\basync (?!=)/)
  const phone = new Phone({ code, macrotask: true })
  const client = phone.install()
  phone.server.needs.bound = true
  const all = Array.from({ length: 30 }, () => new Promise((success, fail) => phone.wx.request({ url: `${shop}/a`, success, fail })))
  assert.ok((await phone.run(Promise.all(all))).every(r => r.statusCode === 403))
  await phone.run(client.bind({ form: { name: 'alice', password: 's3cret' } }))
  phone.server.refuse('/a', 'session_expired', 401)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  assert.equal(phone.count('login'), 2)
  assert.equal(phone.count('navigateTo'), 1)
})
