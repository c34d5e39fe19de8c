// The same club by HTTP before and after the move, and the diff between the two mini programs.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Phone } from '../../miniprogram/tests/client.mjs'
import { added } from '../diff.mjs'
import { startClub } from '../server/run.mjs'

const running = []
after(() => Promise.all(running.map(club => club.stop())))

async function clubOf(state) {
  const club = await startClub(state)
  running.push(club)
  return club
}

test('the mini program moves by one added line, and the documents show the diff', () => {
  execFileSync(process.execPath, [fileURLToPath(new URL('../diff.mjs', import.meta.url))], { stdio: 'pipe' })
})

test('an added line is seen', () => {
  const one = 'diff -ruN before/app.js after/app.js\n--- before/app.js\n+++ after/app.js\n@@ -1 +1 @@\n-old\n+new\n'
  const own = 'diff -ruN before/package.json after/package.json\n--- before/package.json\n+++ after/package.json\n@@ -0,0 +1 @@\n+{}\n'
  assert.deepEqual(added(own), [])
  assert.deepEqual(added(own + one), ['+new'])
  assert.deepEqual(added(`${one}+++ two\n`), ['+new', '+++ two'])
})

/** A phone of the old kind: it sends the cookie that it got last. */
function oldPhone(club, person) {
  let cookie
  return async (method, path, data) => {
    const response = await fetch(club.url + path, { method, headers: { ...(cookie && { cookie }) }, ...(data && { body: JSON.stringify(data) }) })
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return response.json()
  }
}

test('before: a cookie by hand', async () => {
  const club = await clubOf('before')
  const ask = oldPhone(club)
  assert.equal((await ask('GET', '/mine')).errno, 501)
  assert.deepEqual(await ask('POST', '/login', { code: await club.sim.code('lilei') }), { errno: 0, bound: false })
  assert.equal((await ask('GET', '/courses')).courses.length, 3)
  await ask('POST', '/cart', { course: 2 })
  assert.equal((await ask('POST', '/bookings')).errno, 502)
  assert.equal((await ask('POST', '/bind', { account: 'lilei', password: 'guess' })).errno, 503)
  assert.equal((await ask('POST', '/bind', { account: 'lilei', password: 'dumpling-42' })).errno, 0)
  assert.equal((await ask('POST', '/bookings')).errno, 0)
  const mine = await ask('GET', '/mine')
  assert.deepEqual([mine.name, mine.cart, mine.booked.map(course => course.id)], ['李雷', [], [2]])
  const known = oldPhone(club)
  assert.equal((await known('POST', '/login', { code: await club.sim.code('xiaoming') })).bound, true)
})

/** A phone that signs, with a jar for the one cookie. */
async function newPhone(club, person) {
  const phone = new Phone(club, person)
  phone.app = 'club'
  const session = await phone.logIn()
  let cookie
  const ask = async (method, path, data) => {
    const answer = await phone.send(method, path, data, { fields: cookie ? { cookie } : {} })
    cookie = answer.cookies[0]?.split(';')[0] ?? cookie
    return answer
  }
  return { ask, session, take: other => { cookie = other }, get cookie() { return cookie } }
}

test('after: the same back end with the same cookie, and the session is Yaopai’s', async () => {
  const club = await clubOf('after')
  const { ask, session } = await newPhone(club, 'lilei')
  assert.equal(session.bound, false)
  assert.equal((await ask('GET', '/courses')).json.courses.length, 3)
  await ask('POST', '/cart', { course: 2 })
  assert.equal((await ask('POST', '/bookings')).code, 'not_bound')
  assert.equal((await ask('POST', '/bind', { account: 'lilei', password: 'guess' })).json.errno, 503)
  assert.equal((await ask('POST', '/bind', { account: 'lilei', password: 'dumpling-42' })).json.errno, 0)
  assert.equal((await ask('POST', '/bookings')).json.errno, 0)
  const mine = (await ask('GET', '/mine')).json
  assert.deepEqual([mine.name, mine.cart, mine.booked.map(course => course.id)], ['李雷', [], [2]])
})

test('after: whom the members’ table has bound needs no bind page', async () => {
  const { session } = await newPhone(running.at(-1), 'xiaoming')
  assert.deepEqual([session.bound, session.user], [true, '1001'])
})

test('after: a copied JSESSIONID is nobody', async () => {
  const club = running.at(-1)
  const owner = await newPhone(club, 'lilei')
  await owner.ask('POST', '/cart', { course: 3 })
  const thief = await fetch(`${club.url}/mine`, { headers: { cookie: owner.cookie } })
  assert.deepEqual([thief.status, thief.headers.get('yaopai-code')], [401, 'session_missing'])
  const other = await newPhone(club, 'hanmeimei')
  other.take(owner.cookie)
  const mine = (await other.ask('GET', '/mine')).json
  assert.deepEqual([mine.name, mine.cart, mine.booked], ['', [], []])
  assert.equal((await owner.ask('GET', '/mine')).json.cart.length, 1)
})

test('after: a body that is not the signed one is refused', async () => {
  const phone = new Phone(running.at(-1), 'lilei')
  phone.app = 'club'
  await phone.logIn()
  assert.equal((await phone.send('POST', '/cart', { course: 1 }, { sent: '{"course":2}' })).status, 400)
})

test('after: what is no longer needed is no longer there', async () => {
  for (const path of ['/login', '/yaopai-webhook']) {
    assert.equal((await fetch(running.at(-1).url + path, { method: 'POST', body: '{}' })).status, 404, path)
  }
})
