// What a platform joins must come apart as it was, for any cookies: properties, over YAOPAI_COOKIE_SEQUENCES generated ones.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from './random.mjs'
import { cookieJar, NOW } from './subject.mjs'

const ROUNDS = Number(process.env.YAOPAI_COOKIE_SEQUENCES || 1000)
const SHOP = 'https://shop.example/'
const NAME = "abcXYZ019!#$%&'*+-.^_`|~[]:@/(){}<>?"
// RFC 6265 §4.1.1, cookie-octet: what a server should write.
const VALUE = "abcXYZ019!#$%&'()*+-./:<=>?@[]^_`{|}~"
const DATES = ['Fri, 12 Nov 2027 01:37:01 GMT', 'Fri, 12-Nov-27 01:37:01 GMT', 'Friday, 12-Nov-2027 01:37:01 GMT', 'Fri Nov 12 01:37:01 2027']

function attributes(random, blank) {
  let text = ''
  const known = ['Path=/', 'path=/', 'Secure', 'HttpOnly', 'Max-Age=1000', 'SameSite=Lax', 'Domain=shop.example', 'Priority=High', 'Version=1',
    ...DATES.map(date => `Expires=${date}`), ...DATES.map(date => `expires=${date}`)]
  for (let left = random.int(5); left > 0; left--) text += ';' + blank + random.pick(known)
  return text
}

function pairs(random, value = VALUE) {
  const made = []
  for (let i = 0; i <= random.int(5); i++) made.push(`${i}${random.text(NAME, 6)}=${random.text(value, 12)}`)
  return made
}

function sorted(header) {
  return (header || '').split('; ').sort()
}

function check(name, seed, join, value = VALUE) {
  test(`${name}, ${ROUNDS} times`, () => {
    for (let round = 0; round < ROUNDS; round++) {
      const random = new Random(seed + round)
      const made = pairs(random, value)
      const header = join(random, made)
      const jar = cookieJar()
      jar.take(SHOP, { header: { 'Set-Cookie': header } }, NOW)
      assert.deepEqual(sorted(jar.header(SHOP, NOW)), made.slice().sort(), `round ${round}: ${JSON.stringify(header)}`)
    }
  })
}

check('joined by commas', 1_000_000, (random, made) =>
  made.map(pair => pair + attributes(random, random.pick(['', ' ']))).join(random.pick([',', ', '])))
check('joined by semicolons', 2_000_000, (random, made) => made.map(pair => pair + attributes(random, random.pick(['', ' ']))).join(';'))
check('joined by line breaks', 3_000_000, (random, made) =>
  made.map(pair => pair + attributes(random, random.pick(['', ' ']))).join(random.pick(['\n', '\r\n'])))
check('an array', 4_000_000, (random, made) => made.map(pair => pair + attributes(random, random.pick(['', ' ']))))
check('an array, with commas in the values', 5_000_000, (random, made) => made.map(pair => pair + attributes(random, ' ')), VALUE + ',,,')
check('an array whose one element is joined by commas', 6_000_000, (random, made) =>
  [made.map(pair => `${pair}; Path=/${attributes(random, ' ')}`).join(', ')])

test(`a quoted value keeps its commas and semicolons out of the joining, ${ROUNDS} times`, () => {
  for (let round = 0; round < ROUNDS; round++) {
    const random = new Random(8_000_000 + round)
    const made = pairs(random, 'ab, =').map(pair => pair.replace('=', '="') + '"')
    const header = made.map(pair => pair + attributes(random, ' ')).join(random.pick([',', ', ']))
    const jar = cookieJar()
    jar.take(SHOP, { header: { 'set-cookie': header } }, NOW)
    assert.deepEqual(sorted(jar.header(SHOP, NOW)), made.slice().sort(), `round ${round}: ${header}`)
  }
})

test(`any text at all is taken apart without an error and without a cookie that breaks a header, ${ROUNDS} times`, () => {
  for (let round = 0; round < ROUNDS; round++) {
    const random = new Random(9_000_000 + round)
    const text = random.text('ab=;," \t\r\n\u0000腰', 60)
    const jar = cookieJar()
    jar.take(SHOP, random.chance(50) ? { header: { 'Set-Cookie': text } } : { cookies: [text, text] }, NOW)
    const header = jar.header(SHOP, NOW) || ''
    assert.doesNotMatch(header, /[\u0000-\u0008\u000a-\u001f\u007f]/, `round ${round}: ${JSON.stringify(text)}`)
    for (const pair of header ? header.split('; ') : []) assert.match(pair, /^[^=;\s][^=;]*=[^;]*$/, `round ${round}: ${JSON.stringify(text)}`)
  }
})
