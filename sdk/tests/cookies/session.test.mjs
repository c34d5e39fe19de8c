// Whose cookies are in the jar: the session's.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const alice = { form: { name: 'alice', password: 's3cret' } }
const bob = { form: { name: 'bob', password: 'hunter2' } }
const setting = value => () => ({ status: 200, body: {}, headers: value ? { 'Set-Cookie': `JSESSIONID=${value}; Path=/; Max-Age=86400` } : {} })

/** Alice's phone, with a session of the back end's. */
async function open() {
  const phone = new Phone()
  const client = phone.install({ jar: phone.load('cookies').cookieJar(), onEnd() {} })
  await phone.run(client.bind(alice))
  phone.server.backEnd = setting('alices')
  await phone.request(`${shop}/a`)
  phone.server.backEnd = setting()
  return { phone, client }
}

async function shown(phone) {
  await phone.request(`${shop}/b`)
  return phone.server.log.at(-1).headers.cookie
}

const ENDS = {
  async logout({ phone, client }) {
    await phone.run(client.logout())
    await phone.run(client.login())
  },
  async kick({ phone, client }) {
    phone.server.refuse('/a', 'session_kicked', 401)
    await phone.request(`${shop}/a`)
    await phone.run(client.login())
  },
  unbind: ({ phone, client }) => phone.run(client.unbind()),
  'bind as somebody else': ({ phone, client }) => phone.run(client.bind(bob)),
  async 'another user at the next login, after a restart'(at) {
    at.phone = at.phone.restart()
    at.phone.install({ jar: at.phone.load('cookies').cookieJar() })
    at.phone.server.users.set('xiaoming', 'bob')
    for (const s of at.phone.server.sessions.values()) s.ended = 'session_expired'
    await at.phone.request(`${shop}/a`)
  },
}
for (const [how, end] of Object.entries(ENDS)) {
  test(`${how}: the back end's session of the one before is not gone on with`, async () => {
    const at = await open()
    await end(at)
    assert.equal(await shown(at.phone), undefined)
  })
}

test('an answer that was on its way at the logout sets no cookie for the next one', async () => {
  const { phone, client } = await open()
  phone.fault('/slow', 'slow', { ms: 5000 })
  phone.server.backEnd = setting('late')
  const slow = new Promise((success, fail) => phone.wx.request({ url: `${shop}/slow`, success, fail }))
  await phone.clock.advance(10)
  await phone.run(client.logout())
  await phone.run(slow)
  phone.server.backEnd = setting()
  await phone.run(client.login())
  assert.equal(await shown(phone), undefined)
})

test('a guest\'s cookies stay at the first bind, and a user\'s over a silent login', async () => {
  const phone = new Phone()
  const client = phone.install({ jar: phone.load('cookies').cookieJar() })
  phone.server.backEnd = setting('cart')
  await phone.request(`${shop}/a`)
  phone.server.backEnd = setting()
  await phone.run(client.bind(alice))
  assert.equal(await shown(phone), 'JSESSIONID=cart')
  for (const s of phone.server.sessions.values()) s.ended = 'session_expired'
  await phone.request(`${shop}/a`)
  assert.equal(phone.count('login'), 2)
  assert.equal(await shown(phone), 'JSESSIONID=cart')
})
