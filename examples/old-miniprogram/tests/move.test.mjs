// The same club by HTTP before, during and after the move, and the diffs between the mini programs.

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

test('the mini program moves by the lines that are said, and the documents show the diffs and the configuration', () => {
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

/** The move's state; the rest of it is as it was in none. */
const moved = (club, state) => club.admin.call('PUT', 'apps/club/move', { share: 0, openids: [], users: [], back: false, ...state })

test('during: the old program as before, through the gateway', async () => {
  const club = await clubOf('during')
  await moved(club, {})
  const ask = oldPhone(club)
  assert.equal((await ask('POST', '/login', { code: await club.sim.code('lilei') })).errno, 0)
  await ask('POST', '/cart', { course: 2 })
  assert.equal((await ask('POST', '/bookings')).errno, 502)
  assert.equal((await ask('POST', '/bind', { account: 'lilei', password: 'dumpling-42' })).errno, 0)
  assert.equal((await ask('POST', '/bookings')).errno, 0)
  const { name, booked } = await ask('GET', '/mine')
  assert.deepEqual([name, booked.map(course => course.id)], ['李雷', [2]])
})

test('during: who hasn’t moved has no session of Yaopai’s, who is listed has one, and finds what was booked', async () => {
  const club = running.at(-1)
  await assert.rejects(newPhone(club, 'lilei'), /not_moved/)
  await moved(club, { openids: [await club.sim.openid('lilei')] })
  const { ask, session } = await newPhone(club, 'lilei')
  assert.deepEqual([session.bound, session.user], [true, '1002'])
  const mine = (await ask('GET', '/mine')).json
  assert.deepEqual([mine.name, mine.booked.map(course => course.id)], ['李雷', [2]])
  assert.equal((await club.admin.call('GET', 'apps/club/move')).stayed, 1)
})

test('during: a bind on either side holds on the other', async () => {
  const club = running.at(-1)
  await moved(club, { share: 100 })
  const { ask } = await newPhone(club, 'hanmeimei')
  assert.equal((await ask('POST', '/bind', { account: 'hanmeimei', password: 'peach-27' })).json.errno, 0)
  assert.equal((await ask('GET', '/mine')).json.name, '韩梅梅')
  await moved(club, { share: 100, back: true })
  const old = oldPhone(club)
  assert.equal((await old('POST', '/login', { code: await club.sim.code('hanmeimei') })).bound, true)
  assert.equal((await old('GET', '/mine')).name, '韩梅梅')
})

test('during: an old cookie beside a session, or in its place after its end, makes nobody of it', async () => {
  const club = running.at(-1)
  await moved(club, { share: 100 })
  const owner = await fetch(`${club.url}/login`, { method: 'POST', body: JSON.stringify({ code: await club.sim.code('lilei') }) })
  const cookie = owner.headers.getSetCookie()[0].split(';')[0]
  const other = await newPhone(club, 'hanmeimei')
  other.take(cookie)
  assert.equal((await other.ask('GET', '/mine')).json.name, '韩梅梅')
  await club.admin.call('DELETE', 'sessions?app=club')
  assert.equal((await other.ask('GET', '/mine')).code, 'session_kicked')
})

test('during: who binds over there and goes back at once has no guest’s session of old', async () => {
  const club = await clubOf('during')
  await moved(club, {})
  const old = oldPhone(club)
  await old('POST', '/login', { code: await club.sim.code('lilei') })
  assert.equal((await old('POST', '/bookings')).errno, 502)
  await moved(club, { share: 100 })
  const { ask } = await newPhone(club, 'lilei')
  assert.equal((await ask('POST', '/bind', { account: 'lilei', password: 'dumpling-42' })).json.errno, 0)
  await moved(club, { share: 100, back: true })
  assert.equal((await old('POST', '/bookings')).errno, 0)
  assert.equal((await old('GET', '/mine')).name, '李雷')
})

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
