// What callers do with their objects, and what they hand over, when the request has to wait for a session.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const send = (phone, options, kind = 'request') => new Promise((success, fail) => phone.wx[kind]({ ...options, success, fail }))
const last = phone => phone.server.log.at(-1)

test('options that are used again before there is a session: each call has its own callbacks', async () => {
  const phone = new Phone()
  phone.install()
  const seen = []
  const options = { url: `${shop}/a`, success: () => seen.push('a'), complete: () => seen.push('a done') }
  phone.wx.request(options)
  Object.assign(options, { url: `${shop}/b`, success: () => seen.push('b'), complete: () => seen.push('b done') })
  phone.wx.request(options)
  await phone.clock.advance(1000)
  assert.deepEqual(seen.sort(), ['a', 'a done', 'b', 'b done'])
})

test('a buffer that is filled anew after the call, and a form of an upload: what was handed over is sent', async () => {
  let form
  const phone = new Phone({
    wx(wx) {
      const { uploadFile } = wx
      wx.uploadFile = o => ((form = { ...o.formData }), uploadFile(o))
    },
  })
  phone.install()
  const bytes = new Uint8Array([1, 2, 3])
  const formData = { part: '1' }
  const both = [
    send(phone, { url: `${shop}/photo`, filePath: 'a', name: 'f', formData }, 'uploadFile'),
    send(phone, { url: `${shop}/a`, method: 'POST', data: bytes.buffer }),
  ]
  bytes.fill(9)
  formData.part = '2'
  assert.ok((await phone.run(Promise.all(both))).every(res => res.statusCode === 200))
  assert.deepEqual([...new Uint8Array(phone.server.log.find(r => r.url.endsWith('/a')).body)], [1, 2, 3])
  assert.deepEqual(form, { part: '1' })
})

test('data without a prototype, as parsers of queries make it', async () => {
  const phone = new Phone()
  phone.install()
  const data = Object.assign(Object.create(null), { a: 1 })
  assert.equal((await phone.request({ url: `${shop}/a`, method: 'POST', data })).statusCode, 200)
  assert.equal(last(phone).body, '{"a":1}')
  assert.equal((await phone.request({ url: `${shop}/a`, data })).statusCode, 200)
  assert.equal(last(phone).url, `${shop}/a?a=1`)
})

test('a # in the text of a GET is data, and no end of the URL', async () => {
  const phone = new Phone()
  phone.install()
  assert.equal((await phone.request({ url: `${shop}/a`, data: 'tag=#tea&n=1' })).statusCode, 200)
  assert.equal(last(phone).url, `${shop}/a?tag=%23tea&n=1`)
})
