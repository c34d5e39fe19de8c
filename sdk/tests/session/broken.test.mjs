// Answers and storage that are not as they should be.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

test('a stored session with a part missing is none: a silent login, and not a mini program that fails for good', async () => {
  for (const part of ['token', 'key', 'session', 'ids']) {
    const phone = new Phone()
    await phone.run(phone.create().login())
    const [[name, { data, encrypt }]] = phone.storage
    phone.storage.set(name, { data: JSON.stringify({ ...JSON.parse(data), [part]: undefined }), encrypt })
    const again = phone.restart()
    again.install()
    assert.equal((await again.request(`${shop}/a`)).statusCode, 200)
    assert.equal(again.count('login'), 1)
  }
})

for (const name of ['login', 'getStorage', 'setStorage', 'removeStorage']) {
  test(`a wx.${name} that is never answered holds requests for a while, not for good`, async () => {
    let silent = true
    const phone = new Phone({
      wx(wx) {
        const real = wx[name]
        wx[name] = o => (silent ? (silent = false) : real(o))
      },
    })
    const client = phone.install()
    assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
    await phone.run(client.logout())
    await phone.run(client.login())
    assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  })
}

test('no key, said as null, is another kind of key', async () => {
  const phone = new Phone()
  const login = phone.server.login.bind(phone.server)
  phone.server.login = (...given) => {
    const answer = login(...given)
    answer.body.key = null
    return answer
  }
  await assert.rejects(phone.run(phone.create().login()), { code: 'key_refused' })
})

test('an answer about another session changes nothing', async () => {
  const phone = new Phone()
  const client = phone.install()
  await phone.request(`${shop}/a`)
  const { id } = client.session
  const give = phone.server.give.bind(phone.server)
  phone.server.give = (...given) => {
    const answer = give(...given)
    answer.body.session_id = 'another'
    return answer
  }
  await assert.rejects(phone.run(client.stepUp()), { code: 'malformed_answer' })
  assert.equal(client.session.id, id)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
})

test('a Retry-After that is a date, as proxies may write it, is no number: our own waits take its place', async () => {
  const phone = new Phone()
  const client = phone.create()
  const before = phone.clock.time
  const headers = { 'Retry-After': 'Wed, 21 Oct 2026 07:28:00 GMT' }
  phone.server.refuse('/session', '', 503, { answer: { status: 503, headers, body: '' } })
  await phone.run(client.login())
  assert.ok(phone.clock.time - before >= 1000)
  for (let i = 0; i < 4; i++) phone.server.refuse('/phone', '', 503, { answer: { status: 503, headers, body: '' } })
  await assert.rejects(phone.run(client.phone('x')), e => e.status === 503 && e.retryIn === undefined)
})
