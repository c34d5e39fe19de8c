import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const last = phone => phone.server.log.at(-1)
const digest = body => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
const open = async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/first`)
  return phone
}

test('GET data goes into the query, by us, before the signature', async () => {
  const phone = await open()
  for (const [url, data, want] of [
    ['/a', { q: '茶 a&b=c', n: 1, o: { x: [1] }, t: true, z: null }, '/a?q=%E8%8C%B6%20a%26b%3Dc&n=1&o=%7B%22x%22%3A%5B1%5D%7D&t=true&z=null'],
    ['/a?x=1', { y: 2 }, '/a?x=1&y=2'],
    ['/a?', {}, '/a'],
    ['/a?', { y: 2 }, '/a?y=2'],
    ['/a', 'p=1&q=茶', '/a?p=1&q=%E8%8C%B6'],
    ['/a#frag', { y: 2 }, '/a?y=2'],
    ['', { y: 2 }, '/?y=2'],
    ['?x=1', undefined, '/?x=1'],
    ['/a', { s: '\ud800' }, '/a?s=%EF%BF%BD'],
  ]) {
    assert.equal((await phone.request({ url: shop + url, data })).statusCode, 200)
    assert.equal(last(phone).url, shop + want)
    assert.equal(last(phone).headers['content-digest'], undefined)
  }
})

test('URLs are escaped as they are sent: Chinese, spaces, quotes, broken escapes', async () => {
  const phone = await open()
  for (const [url, want] of [
    ['/订单/茶?名=铁观音', '/%E8%AE%A2%E5%8D%95/%E8%8C%B6?%E5%90%8D=%E9%93%81%E8%A7%82%E9%9F%B3'],
    ['/a b"c<d>?e|f^g`h', '/a%20b%22c%3Cd%3E?e%7Cf%5Eg%60h'],
    ['/100%?p=50%&q=%41', '/100%25?p=50%25&q=%41'],
    ['/😀', '/%F0%9F%98%80'],
    ["/it's?a[]=1", '/it%27s?a%5B%5D=1'],
    ['/%E8%8C%B6', '/%E8%8C%B6'],
    ['/a?x=?y', '/a?x=?y'],
    ['/\udc00', '/%EF%BF%BD'],
  ]) {
    assert.equal((await phone.request(shop + url)).statusCode, 200)
    assert.equal(last(phone).url, shop + want)
  }
})

test('bodies are serialised by us, once, and the digest is of what is sent', async () => {
  const phone = await open()
  const bytes = new Uint8Array([0, 255, 1, 2]).buffer
  for (const [data, header, want] of [
    [{ a: '茶', b: [1] }, {}, '{"a":"茶","b":[1]}'],
    [{ a: '茶 &', b: { c: 1 } }, { 'content-type': 'application/x-www-form-urlencoded' }, 'a=%E8%8C%B6%20%26&b=%7B%22c%22%3A1%7D'],
    ['<x/>', { 'Content-Type': 'text/xml' }, '<x/>'],
    [undefined, {}, ''],
    [null, {}, ''],
    [[1, 2], {}, '[1,2]'],
    [7, {}, '7'],
    ['', {}, ''],
    ['x'.repeat(65536), { 'content-type': 'text/plain' }, 'x'.repeat(65536)],
  ]) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      assert.equal((await phone.request({ url: `${shop}/a`, method, data, header })).statusCode, 200)
      assert.equal(last(phone).body, want)
      assert.equal(last(phone).headers['content-digest'], digest(want))
      assert.equal(last(phone).headers['content-type'], Object.values(header)[0] || 'application/json')
    }
  }
  assert.equal((await phone.request({ url: `${shop}/a`, method: 'POST', data: bytes })).statusCode, 200)
  assert.equal(last(phone).headers['content-digest'], digest(Buffer.from(bytes)))
  const view = new Uint8Array([9, 0, 255, 1, 9]).subarray(1, 4)
  assert.equal((await phone.request({ url: `${shop}/a`, method: 'POST', data: view })).statusCode, 200)
  assert.equal(last(phone).headers['content-digest'], digest(view))
})

test('a body of 64 KB with every kind of character', async () => {
  const phone = await open()
  const text = '茶aé😀'.repeat(5500)
  assert.ok(Buffer.byteLength(text) > 50000)
  assert.equal((await phone.request({ url: `${shop}/a`, method: 'POST', data: { text } })).statusCode, 200)
})
