import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterwards, cookieJar, DAY, NOW } from './subject.mjs'

const SHOP = 'https://shop.example/'

function names(header) {
  return (header || '').split('; ').map(pair => pair.split('=')[0]).sort().join(' ')
}

test('a cookie of 4096 bytes is kept, a longer one is not, counted in UTF-8', () => {
  for (const [value, kept] of [['x'.repeat(4095), true], ['x'.repeat(4096), false], ['腰'.repeat(1365), true], ['腰'.repeat(1366), false],
    ['é'.repeat(2047), true], ['é'.repeat(2048), false], ['😀'.repeat(1023), true], ['😀'.repeat(1024), false]]) {
    assert.equal(afterwards([`a=${value}`]) !== undefined, kept, `${value.slice(0, 2)} ${value.length}`)
  }
})

test('of too many for a host the longest unused goes', () => {
  const jar = cookieJar({ maxPerHost: 3 })
  jar.take(SHOP, { cookies: ['a=1; Path=/a', 'b=1; Path=/b', 'c=1; Path=/c'] }, NOW)
  jar.header('https://shop.example/a', NOW)
  jar.take(SHOP, { cookies: ['d=1; Path=/d'] }, NOW)
  assert.equal(['a', 'b', 'c', 'd'].filter(name => jar.header(`https://shop.example/${name}`, NOW)).join(''), 'acd')
})

test('what has expired makes room before anything else goes', () => {
  const jar = cookieJar({ maxPerHost: 2 })
  jar.take(SHOP, { cookies: ['a=1', 'b=1; Max-Age=10'] }, NOW)
  jar.header(SHOP, NOW + 1)
  jar.take(SHOP, { cookies: ['c=1'] }, NOW + 10_000)
  assert.equal(names(jar.header(SHOP, NOW + 10_000)), 'a c')
})

test('one host cannot fill the jar, and the jar has its end', () => {
  const jar = cookieJar({ maxCookies: 4, maxPerHost: 3 })
  jar.take('https://bank.example/', { cookies: ['keep=1'] }, NOW)
  for (let i = 0; i < 20; i++) jar.take(SHOP, { cookies: [`c${i}=1`] }, NOW)
  assert.equal(jar.header('https://bank.example/', NOW), 'keep=1')
  assert.equal(names(jar.header(SHOP, NOW)), 'c17 c18 c19')
  jar.take('https://x.example/', { cookies: ['a=1', 'b=1'] }, NOW)
  assert.equal(jar.header('https://bank.example/', NOW), undefined)
  assert.equal(names(jar.header(SHOP, NOW)), 'c17 c18 c19'.slice(4))
})

test('the jar as a whole may be smaller than the share of a host', () => {
  const jar = cookieJar({ maxCookies: 2 })
  jar.take(SHOP, { cookies: ['a=1', 'b=1', 'c=1'] }, NOW)
  assert.equal(names(jar.header(SHOP, NOW)), 'b c')
})

test('by default 50 for a host and 300 in all', () => {
  const jar = cookieJar()
  const lines = Array.from({ length: 60 }, (_, i) => `c${i}=1`)
  for (let host = 0; host < 8; host++) jar.take(`https://h${host}.example/`, { cookies: lines }, NOW)
  const left = Array.from({ length: 8 }, (_, host) => (jar.header(`https://h${host}.example/`, NOW) || '').split('; ').filter(pair => pair).length)
  assert.deepEqual(left, [0, 0, 50, 50, 50, 50, 50, 50])
})

test('clear forgets all', () => {
  const jar = cookieJar()
  jar.take(SHOP, { cookies: ['a=1', `b=1; Max-Age=${DAY}`] }, NOW)
  jar.clear()
  assert.equal(jar.header(SHOP, NOW), undefined)
})
