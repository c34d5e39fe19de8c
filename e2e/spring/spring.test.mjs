// Spring Security's resource server, by configuration alone, against the real server.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startWorld, until } from './world.mjs'

const PROFILES = ['jwt', 'opaque']
let world
before(async () => (world = await startWorld()), { timeout: 300_000 })
after(() => world?.stop())

const kid = jwt => JSON.parse(Buffer.from(jwt.split('.')[0], 'base64url')).kid
const jwtFor = async (session, ask = 'jwt=orders') => {
  const { status, jwt } = await world.check(session, ask)
  assert.equal(status, 200)
  return jwt
}

test('who it is, and a role from a claim', async () => {
  const session = await world.logIn('shop')
  await world.call('PUT', `/admin/v1/users/${session.user}/claims`, { roles: ['clerk'] })
  const clerk = await jwtFor(session)
  for (const profile of PROFILES) {
    assert.equal((await world.ask(profile)).status, 401, 'nothing shown')
    const { status, body } = await world.ask(profile, clerk)
    assert.equal(status, 200, profile)
    assert.deepEqual([body.user, body.app, body.session_id, body.authorities], [session.user, 'shop', session.session_id, ['SCOPE_clerk']])
    assert.equal((await world.ask(profile, clerk, '/discounts', 'POST')).status, 403, 'a clerk gives no discounts')
  }
  await world.call('PUT', `/admin/v1/users/${session.user}/claims`, { roles: ['clerk', 'manager'] })
  const manager = await jwtFor(session)
  for (const profile of PROFILES) {
    assert.deepEqual((await world.ask(profile, manager, '/discounts', 'POST')).body, { by: session.user }, profile)
  }
  // A bearer session's own token: no proxy is needed where the back end asks.
  assert.equal((await world.ask('opaque', session.token)).body.user, session.user)
  assert.equal((await world.ask('opaque', session.token, '/discounts', 'POST')).status, 200)
  assert.equal((await world.ask('jwt', session.token)).status, 401, 'it is no JWT')
})

test('another back end\'s JWT', async () => {
  const session = await world.logIn('shop')
  const stock = await jwtFor(session, 'jwt=stock')
  for (const profile of PROFILES) assert.equal((await world.ask(profile, stock)).status, 401, profile)
})

test('a keyed session: its JWT passes, its bare token is nobody\'s', async () => {
  const session = await world.logIn('vault', { key: { alg: 'hmac-sha256' } })
  const jwt = await jwtFor(session)
  for (const profile of PROFILES) {
    assert.equal((await world.ask(profile, jwt)).body.user, session.user, profile)
    assert.equal((await world.ask(profile, session.token)).status, 401, profile)
  }
  // Whoever has copied the token gets no JWT either.
  const copied = await world.check({ token: session.token }, 'jwt=orders')
  assert.deepEqual(copied, { status: 401, jwt: undefined })
})

test('a changed JWT', async () => {
  const [head, body, signature] = (await jwtFor(await world.logIn('shop'))).split('.')
  const other = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url')), sub: 'boss', user: 'boss' })).toString('base64url')
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
  for (const profile of PROFILES) {
    for (const forged of [`${head}.${other}.${signature}`, `${none}.${other}.`]) {
      assert.equal((await world.ask(profile, forged)).status, 401, profile)
    }
  }
})

test('keys that are rotated: nobody notices', async () => {
  const session = await world.logIn('shop')
  const old = await jwtFor(session)
  assert.equal((await world.ask('jwt', old)).status, 200)
  await world.call('POST', '/admin/v1/signing-keys/rotate', {})
  await until('the next key signs', 30, async () => {
    const jwt = await jwtFor(session)
    for (const profile of PROFILES) assert.equal((await world.ask(profile, jwt)).status, 200, `${profile}, ${kid(jwt)}`)
    return kid(jwt) !== kid(old)
  })
  // Withdrawn: what the old ones have signed is refused by whoever asks, and Spring learns the new key from its first JWT.
  const before = await jwtFor(session)
  await world.call('POST', '/admin/v1/signing-keys/rotate', { at_once: true })
  const fresh = await jwtFor(session)
  assert.notEqual(kid(fresh), kid(before))
  for (const profile of PROFILES) assert.equal((await world.ask(profile, fresh)).status, 200, profile)
  for (const profile of PROFILES) assert.equal((await world.ask(profile, before)).status, 401, profile)
})

test('a kicked session', async () => {
  const session = await world.logIn('shop')
  const jwt = await jwtFor(session)
  for (const profile of PROFILES) assert.equal((await world.ask(profile, jwt)).status, 200, profile)
  const kicked = Date.now()
  await world.call('DELETE', `/admin/v1/sessions/${session.session_id}`)
  // At once: the check, and who asks.
  assert.deepEqual(await world.check(session, 'jwt=orders'), { status: 401, jwt: undefined })
  assert.equal((await world.ask('opaque', jwt)).status, 401)
  assert.equal((await world.ask('opaque', session.token)).status, 401)
  // Who verifies by itself: within the JWT's life, and the minute that Spring allows for clocks.
  await until('Spring refuses the expired JWT', 73, async () => (await world.ask('jwt', jwt)).status === 401)
  console.log(`the jwt profile refused it after ${Math.round((Date.now() - kicked) / 1000)} s`)
})
