import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

function uni() {
  const phone = new Phone()
  return { phone, request: phone.load('uni').uniRequest(phone.create()) }
}

test('a promise of the answer, with the session', async () => {
  const { phone, request } = uni()
  const answer = await phone.clock.until(request({ url: `${shop}/orders`, method: 'POST', data: { item: 'tea' } }))
  assert.equal(answer.statusCode, 200)
  assert.match(phone.server.log.at(-1).headers.signature, /^yaopai=/)
})

test('callbacks, each once, and a task', async () => {
  const { phone, request } = uni()
  const called = []
  const task = request({ url: `${shop}/orders`, success: () => called.push('success'), fail: () => called.push('fail'), complete: () => called.push('complete') })
  assert.equal(typeof task.abort, 'function')
  await phone.clock.until(task)
  await phone.clock.advance(10)
  assert.deepEqual(called, ['success', 'complete'])
})

test('by callbacks a failure is told once, and is no unhandled rejection', async () => {
  const { phone, request } = uni()
  const unhandled = []
  const listen = error => unhandled.push(error)
  process.on('unhandledRejection', listen)
  try {
    const failed = []
    const task = request({ url: `${shop}/orders`, fail: error => failed.push(error.errMsg) })
    task.abort()
    await phone.clock.advance(10)
    await new Promise(done => setImmediate(done))
    assert.equal(failed.length, 1)
    assert.deepEqual(unhandled, [])
  } finally {
    process.off('unhandledRejection', listen)
  }
})

test('an interceptor cannot send again, this can', async () => {
  const { phone, request } = uni()
  await phone.clock.until(request({ url: `${shop}/orders` }))
  phone.server.refuse('/orders', 'session_unknown', 401)
  assert.equal((await phone.clock.until(request({ url: `${shop}/orders` }))).statusCode, 200)
})
