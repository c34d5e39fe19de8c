// RFC 6265 §5, and what its successor (RFC 6265bis) adds for cookies that must not be planted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterwards, cookieJar, NOW } from './subject.mjs'

const SHOP = 'https://shop.example/'

test('dates in every form that servers send', () => {
  const ahead = ['Sun, 01 Nov 2026 00:00:01 GMT', 'Sunday, 01-Nov-26 00:00:01 GMT', 'Sun Nov  1 00:00:01 2026', '1 nov 2026 0:0:1',
    '00:00:01 2026 November 1', '1 Nov 2026 00:00:01 23:00:00']
  for (const date of ahead) {
    assert.equal(afterwards([`a=1; Expires=${date}`], SHOP, SHOP, NOW + 999), 'a=1', date)
    assert.equal(afterwards([`a=1; Expires=${date}`], SHOP, SHOP, NOW + 1000), undefined, date)
  }
})

test('years of two digits: 70 to 99 are of the last century', () => {
  assert.equal(afterwards(['a=1; Expires=Sun, 01-Nov-70 00:00:01 GMT']), undefined)
  assert.equal(afterwards(['a=1; Expires=Sun, 01-Nov-99 00:00:01 GMT']), undefined)
  assert.equal(afterwards(['a=1; Expires=Sun, 01-Nov-69 00:00:01 GMT']), 'a=1')
  assert.equal(afterwards(['a=1; Expires=Sun, 01-Nov-00 00:00:01 GMT']), undefined)
})

test('what is no date, or no number, is ignored and leaves a session cookie', () => {
  for (const attribute of ['Expires=0', 'Expires=-1', 'Expires=Wed, 31 Feb 2026 00:00:00 GMT', 'Expires=Wed, 01 Nov 1600 00:00:00 GMT',
    'Expires=Wed, 01 Jan 2020 24:00:00 GMT', 'Expires=01 Jan 2020', 'Expires=01 anf 2020 00:00:00', 'Max-Age=soon', 'Max-Age=', 'Max-Age=1e1', 'Max-Age=+0']) {
    assert.equal(afterwards([`a=1; ${attribute}`]), 'a=1', attribute)
  }
})

test('an attribute that says nothing leaves what one before it said', () => {
  assert.equal(afterwards(['a=1; Expires=Thu, 01 Jan 2020 00:00:00 GMT; Expires=soon']), undefined)
  assert.equal(afterwards(['a=1; Max-Age=0; Max-Age=soon']), undefined)
  assert.equal(afterwards(['a=1; Domain=shop.example; Domain='], 'https://www.shop.example/'), 'a=1')
  assert.equal(afterwards(['a=1; Path=/x; Path=/']), 'a=1')
})

test('the default path is the directory of the request', () => {
  const from = 'https://shop.example/desk/orders?all=/x/y'
  for (const attribute of ['', '; Path', '; Path=', '; Path=orders']) {
    for (const path of ['/desk', '/desk/', '/desk/1?x', '/desk#x']) {
      assert.equal(afterwards([`a=1${attribute}`], `https://shop.example${path}`, from), 'a=1', attribute + path)
    }
    for (const path of ['/', '', '/desks', '/des']) assert.equal(afterwards([`a=1${attribute}`], `https://shop.example${path}`, from), undefined)
  }
  for (const from of ['https://shop.example', 'https://shop.example?x=/a/b', 'https://shop.example/top']) {
    assert.equal(afterwards(['a=1'], 'https://shop.example/any', from), 'a=1')
  }
})

test('longer paths first, then older cookies, and a replaced cookie keeps its place', () => {
  assert.equal(afterwards(['a=1; Path=/', 'b=2; Path=/x', 'c=3; Path=/', 'd=4; Path=/x/', 'a=5; Path=/'], 'https://shop.example/x/y'),
    'd=4; b=2; a=5; c=3')
})

test('a cookie that comes after its namesake has expired is a new one', () => {
  const jar = cookieJar()
  jar.take(SHOP, { cookies: ['a=1; Max-Age=1', 'b=2'] }, NOW)
  jar.take(SHOP, { cookies: ['a=3'] }, NOW + 1000)
  assert.equal(jar.header(SHOP, NOW + 1000), 'b=2; a=3')
})

test('a secure cookie that has expired stands in nobody\'s way', () => {
  const jar = cookieJar()
  jar.take(SHOP, { cookies: ['a=1; Secure; Max-Age=1'] }, NOW)
  jar.take('http://shop.example/', { cookies: ['a=2'] }, NOW + 1000)
  assert.equal(jar.header(SHOP, NOW + 1000), 'a=2')
})

test('Domain: no single label, no address, no registry, and no child', () => {
  for (const [host, domain] of [['shop.com.cn', 'com.cn'], ['shop.com', 'com'], ['www.shop.bj.cn', 'bj.cn'], ['shop.co.uk', 'co.uk'],
    ['10.0.0.7', '0.0.7'], ['shop.example', 'a.shop.example'], ['shop.example', 'shop.example.']]) {
    assert.equal(afterwards([`a=1; Domain=${domain}`], `https://${host}/`, `https://${host}/`), undefined, domain)
  }
  assert.equal(afterwards(['a=1; Domain=shop.com.cn'], 'https://b.shop.com.cn/', 'https://a.shop.com.cn/'), 'a=1')
  assert.equal(afterwards(['a=1; Domain=qq.cn'], 'https://b.qq.cn/', 'https://a.qq.cn/'), 'a=1')
})

test('a Domain that is the host itself, where nothing may lie below, makes a cookie of that host', () => {
  for (const host of ['10.0.0.7', 'localhost', 'com.cn']) {
    assert.equal(afterwards([`a=1; Domain=${host}`], `https://${host}/`, `https://${host}/`), 'a=1')
    assert.equal(afterwards([`a=1; Domain=${host}`], `https://x.${host}/`, `https://${host}/`), undefined)
  }
  assert.equal(afterwards(['a=1; Domain=[::1]'], 'http://[::1]:9700/', 'http://[::1]:8080/'), 'a=1')
})

test('an empty Domain is none', () => {
  assert.equal(afterwards(['a=1; Domain=.']), 'a=1')
  assert.equal(afterwards(['a=1; Domain=']), 'a=1')
  assert.equal(afterwards(['a=1; Domain='], 'https://x.shop.example/'), undefined)
})

test('over http no Secure cookie is set, replaced or removed; a server on this machine counts as https', () => {
  assert.equal(afterwards(['a=1; Secure'], SHOP, 'http://shop.example/'), undefined)
  const jar = cookieJar()
  jar.take(SHOP, { cookies: ['a=1; Secure; Path=/'] }, NOW)
  jar.take('http://shop.example/', { cookies: ['a=2; Path=/', 'a=3; Path=/x'] }, NOW)
  jar.take('http://www.shop.example/', { cookies: ['a=4; Path=/; Domain=shop.example; Max-Age=0'] }, NOW)
  assert.equal(jar.header('https://shop.example/x', NOW), 'a=1')
  jar.take('https://www.shop.example/', { cookies: ['b=1; Secure; Path=/'] }, NOW)
  jar.take('http://shop.example/', { cookies: ['b=2; Path=/; Domain=shop.example'] }, NOW)
  assert.equal(jar.header('https://www.shop.example/', NOW), 'b=1')
  for (const host of ['127.0.0.1:9700', 'localhost:9700', 'shop.localhost']) {
    assert.equal(afterwards(['a=1; Secure'], `http://${host}/`, `http://${host}/`), 'a=1', host)
  }
  assert.equal(afterwards(['a=1; Secure'], 'http://127.evil.example/', 'http://127.evil.example/'), undefined)
})

test('__Secure- and __Host- hold what they promise, in any case', () => {
  for (const [line, kept] of [
    ['__Secure-a=1; Secure', true], ['__Secure-a=1', false], ['__secure-a=1', false],
    ['__Host-a=1; Secure; Path=/', true], ['__Host-a=1; Path=/', false], ['__Host-a=1; Secure', false], ['__Host-a=1; Secure; Path=/x', false],
    ['__Host-a=1; Secure; Path=/; Domain=shop.example', false], ['__HOST-a=1; Secure; Path=/; Domain=shop.example', false],
  ]) {
    assert.equal(afterwards([line], 'https://shop.example/x', 'https://shop.example/x') !== undefined, kept, line)
  }
})

test('HttpOnly cookies are kept and sent', () => {
  assert.equal(afterwards(['a=1; HttpOnly']), 'a=1')
})

test('no name, no cookie; and none with a control character in it', () => {
  for (const line of ['=1', '1', '', ';', '; a=1', ' = ', 'a=1\r', 'a=1\u0000b', 'a\u007f=1']) {
    const kept = afterwards([line, 'z=0'])
    assert.equal(kept, line === 'a=1\r' ? 'a=1; z=0' : 'z=0', JSON.stringify(line))
  }
})

test('a header cannot be broken in two', () => {
  for (const line of ['a=1\r\nX-Evil: 1', 'a=1\rX-Evil: 1', 'a=1; Path=/\nX-Evil: b=1']) {
    assert.doesNotMatch(afterwards([line]) || '', /[\r\n]/)
  }
})

test('no cookie for what is no address, or one that can be read in two ways', () => {
  const jar = cookieJar()
  jar.take(SHOP, { cookies: ['a=1'] }, NOW)
  for (const url of ['', '/orders', 'shop.example', 'ftp://shop.example/', 'https://', 'https:///x', 'https://evil.example\\@shop.example/',
    'https://shop.example\t.evil.example/', 'https://shop.example /', 'https://shop.example@evil.example/', 'https://evil.example/@shop.example/',
    'https://evil.example?@shop.example/', 'https://evil.example#@shop.example/']) {
    assert.equal(jar.header(url, NOW), undefined, url)
  }
  for (const url of ['HTTPS://SHOP.example', 'https://me:secret@shop.example/', 'https://a@b@shop.example:443?x']) {
    assert.equal(jar.header(url, NOW), 'a=1', url)
  }
})
