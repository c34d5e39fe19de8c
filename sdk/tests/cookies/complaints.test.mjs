// What the users of cookie libraries for mini programs have complained of, and what is wrong in the best known of them:
// each is a test.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterwards, cookieJar, DAY, mergeCookies, NOW } from './subject.mjs'

const SHOP = 'https://shop.example/'

function fromHeader(header) {
  const jar = cookieJar()
  jar.take(SHOP, { header }, NOW)
  return jar.header(SHOP, NOW)
}

test('Set-Cookie may be an array, as for uploads and downloads on iOS', () => {
  assert.equal(fromHeader({ 'Set-Cookie': ['a=1; Path=/', 'b=2; Path=/'] }), 'a=1; b=2')
})

test('res.cookies is read, and goes before the header that a platform has joined', () => {
  const jar = cookieJar()
  jar.take(SHOP, { cookies: ['a=1,b=2; Path=/'], header: { 'Set-Cookie': 'a=1,b=2; Path=/' } }, NOW)
  assert.equal(jar.header(SHOP, NOW), 'a=1,b=2')
})

test('an empty res.cookies does not hide the header', () => {
  const jar = cookieJar()
  jar.take(SHOP, { cookies: [], header: { 'Set-Cookie': 'a=1' } }, NOW)
  assert.equal(jar.header(SHOP, NOW), 'a=1')
})

test('the header may be written in any case, as on PC and over HTTP/2', () => {
  for (const name of ['Set-Cookie', 'set-cookie', 'SET-COOKIE', 'Set-cookie']) assert.equal(fromHeader({ [name]: 'a=1' }), 'a=1')
})

test('several cookies joined by commas, with commas in their Expires', () => {
  const expires = 'expires=Fri, 12-Nov-2027 01:37:01 GMT; path=/; secure'
  assert.equal(fromHeader({ 'Set-Cookie': `key1=value1; ${expires},key2=value2; ${expires}, key3=value3` }),
    'key1=value1; key2=value2; key3=value3')
})

test('several cookies joined by semicolons, as by QQ on Android', () => {
  const expires = 'expires=Fri, 12-Nov-2027 01:37:01 GMT; path=/; secure'
  assert.equal(fromHeader({ 'Set-Cookie': `key1=value1; ${expires};key2=value2; ${expires}` }), 'key1=value1; key2=value2')
})

test('an attribute that nobody knows is no cookie', () => {
  assert.equal(fromHeader({ 'Set-Cookie': 'a=1; Path=/; Colour=blue' }), 'a=1')
  assert.equal(afterwards(['a=1;Colour=blue;Path=/']), 'a=1')
})

test('attributes without blanks between them', () => {
  assert.equal(fromHeader({ 'set-cookie': 'JSESSIONID=ABC;Path=/;Max-Age=60;Secure;HttpOnly' }), 'JSESSIONID=ABC')
})

test('of several cookies all are kept, not only the last', () => {
  assert.equal(afterwards(['a=1', 'b=2', 'c=3']), 'a=1; b=2; c=3')
})

test('a cookie of the same name replaces the old one', () => {
  assert.equal(afterwards(['token=old; Path=/', 'token=new; Path=/']), 'token=new')
})

test('the same name with another path is another cookie', () => {
  const lines = ['id=shop; Path=/', 'id=desk; Path=/desk']
  assert.equal(afterwards(lines), 'id=shop')
  assert.equal(afterwards(lines, 'https://shop.example/desk/1'), 'id=desk; id=shop')
})

test('a value with an equals sign, an at sign or Chinese in it comes back as it came', () => {
  for (const value of ['YWJj==', 'me@shop', '腰牌', 'a%20b', '"quoted"', '']) assert.equal(afterwards([`a=${value}`]), `a=${value}`)
})

test('a host cannot set a cookie for another', () => {
  for (const domain of ['bank.example', 'other.shop.example', 'shop.example.evil.example', 'hop.example', 'example']) {
    for (const to of [`https://${domain}/`, SHOP]) assert.equal(afterwards([`a=1; Domain=${domain}`], to), undefined, `${domain} ${to}`)
  }
})

test('a cookie is sent to no host that did not set it', () => {
  for (const to of ['https://bank.example/', 'https://www.shop.example/', 'https://notshop.example/', 'https://example/']) {
    assert.equal(afterwards(['a=1'], to), undefined, to)
  }
})

test('Domain with its leading dot or without reaches the hosts below', () => {
  for (const domain of ['shop.example', '.shop.example', 'SHOP.example']) {
    assert.equal(afterwards([`a=1; Domain=${domain}`], 'https://api.shop.example/', 'https://www.shop.example/'), 'a=1', domain)
  }
})

test('Secure cookies do not travel over http', () => {
  assert.equal(afterwards(['a=1; Secure', 'b=2'], 'http://shop.example/'), 'b=2')
  assert.equal(afterwards(['a=1; Secure', 'b=2'], 'wss://shop.example/'), 'a=1; b=2')
})

test('a port is no part of a host', () => {
  assert.equal(afterwards(['a=1'], 'https://shop.example:8443/'), 'a=1')
})

test("the caller's own Cookie header is merged, and never overwritten", () => {
  const jar = cookieJar()
  jar.take(SHOP, { cookies: ['a=1', 'b=2', 'b=3; Path=/x'] }, NOW)
  assert.equal(jar.header(SHOP, NOW, 'c=9'), 'c=9; a=1; b=2')
  assert.equal(jar.header(SHOP, NOW, 'b=9;'), 'b=9; a=1')
  assert.equal(jar.header('https://shop.example/x', NOW, 'b=9'), 'b=9; a=1')
  assert.equal(jar.header('https://bank.example/', NOW, 'b=9; b=8'), 'b=9; b=8')
  assert.equal(mergeCookies(undefined, undefined), undefined)
  assert.equal(mergeCookies('  ', 'a=1'), 'a=1')
})

test('a response without a header, or without anything, is no error', () => {
  const jar = cookieJar()
  for (const response of [{}, { header: undefined }, { cookies: undefined, header: {} }]) jar.take(SHOP, response, NOW)
  jar.take(SHOP, { cookies: [null, 5, 'a=1'], header: { 'Set-Cookie': null } }, NOW)
  assert.equal(jar.header(SHOP, NOW), 'a=1')
})

test('Max-Age goes before Expires, wherever it stands', () => {
  const past = 'Expires=Thu, 01 Jan 1970 00:00:00 GMT'
  assert.equal(afterwards([`a=1; Max-Age=60; ${past}`, `b=2; ${past}; Max-Age=60`]), 'a=1; b=2')
  const lines = ['a=1; Max-Age=60; Expires=Fri, 12 Nov 2027 01:37:01 GMT']
  assert.equal(afterwards(lines, SHOP, SHOP, NOW + 59_999), 'a=1')
  assert.equal(afterwards(lines, SHOP, SHOP, NOW + 60_000), undefined)
})

test('a cookie that has expired takes its namesake away', () => {
  for (const end of ['Max-Age=0', 'Max-Age=-1', 'Expires=Thu, 01-Jan-70 00:00:01 GMT']) {
    assert.equal(afterwards(['a=1; Path=/', 'b=2', `a=; Path=/; ${end}`]), 'b=2', end)
  }
})

test('nothing outlives 400 days', () => {
  const lines = ['a=1; Max-Age=99999999999999999999', 'b=2; Expires=Tue, 19 Jan 2038 03:14:07 GMT']
  assert.equal(afterwards(lines, SHOP, SHOP, NOW + 399 * DAY), 'a=1; b=2')
  assert.equal(afterwards(lines, SHOP, SHOP, NOW + 400 * DAY), undefined)
})
