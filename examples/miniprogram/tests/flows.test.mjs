// What the mini program lives through, by HTTP: the whole stack runs, with a simulated WeChat.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { startShop } from '../server/run.mjs'
import { Phone, sign } from './client.mjs'

let shop

before(async () => { shop = await startShop({ vouched: 1 }) })
after(() => shop?.stop())

/** `status code` of a refusal. */
const said = ({ status, code }) => `${status} ${code ?? ''}`.trim()

/** The phone of a person, logged in. */
async function phoneOf(person, device) {
  const phone = new Phone(shop, person)
  const session = await phone.logIn(device)
  return [phone, session]
}

test('goods are for everybody', async () => {
  const stranger = new Phone(shop, 'lilei')
  const answer = await stranger.send('GET', '/goods', undefined, { signed: false })
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.json.goods, ['tea', 'rice', 'ink'])
  assert.equal(answer.json.user, null)
  assert.equal(said(await stranger.send('GET', '/orders', undefined, { signed: false })), '401 session_missing')
})

test('whom the table of accounts knows is bound at once', async () => {
  const [phone, session] = await phoneOf('xiaoming')
  assert.deepEqual([session.bound, session.user, session.claims], [true, '1001', { name: '小明' }])
  assert.equal((await phone.send('GET', '/goods')).json.user, 1001)
})

test('a guest is sent to the bind page, binds by the form, and orders', async () => {
  const [phone, session] = await phoneOf('lilei')
  assert.equal(session.bound, false)
  assert.equal((await phone.send('GET', '/goods')).json.user, null)
  assert.equal(said(await phone.send('POST', '/orders', { item: 'tea' })), '403 not_bound')

  const wrong = await phone.bind({ way: 'form', form: { account: 'lilei', password: 'guess' } })
  assert.equal(said(wrong), '422 binding_rejected')
  assert.match(wrong.json.message, /密码错误/)
  const right = await phone.bind({ way: 'form', form: { account: 'lilei', password: 'dumpling-42' } })
  assert.deepEqual([right.status, right.json.user], [200, '1002'])

  assert.equal((await phone.send('POST', '/orders', { item: 'tea' })).status, 201)
  assert.deepEqual((await phone.send('GET', '/orders')).json, { user: 1002, name: '李雷', orders: ['tea'] })
  assert.equal((await phone.send('POST', '/orders', { item: 'gold' })).status, 400, 'not among the goods')

  const [, again] = await phoneOf('lilei')
  assert.equal(again.bound, true, 'the next login needs no form')
})

test('an account that is taken is not given to a second WeChat account', async () => {
  const [phone] = await phoneOf('wangfang')
  const taken = await phone.bind({ way: 'form', form: { account: 'xiaoming', password: 'noodles-88' } })
  assert.equal(said(taken), '422 binding_rejected')
  assert.match(taken.json.message, /another WeChat user/)
})

test('the phone button binds by the number that WeChat has verified', async () => {
  const [phone] = await phoneOf('wangfang')
  const bound = await phone.bind({ way: 'phone', code: await shop.sim.phoneCode('wangfang') })
  assert.deepEqual([bound.status, bound.json.user], [200, '1005'])
  const [stranger] = await phoneOf('xiaohong')
  const unknown = await stranger.bind({ way: 'phone', code: await shop.sim.phoneCode('xiaohong') })
  assert.match(unknown.json.message, /No account of ours/)
})

test('a bind code of the website is previewed, confirmed, and good once', async () => {
  const page = await fetch(shop.website, { headers: { Authorization: `Basic ${btoa('hanmeimei:peach-27')}` } })
  const [code] = /yb_[\w-]+/.exec(await page.text())
  const [phone] = await phoneOf('hanmeimei')
  const unseen = await phone.bind({ way: 'bind_code', bind_code: code })
  assert.equal(unseen.code, 'bind_code_invalid', 'nobody has seen whose account it is')
  const preview = await phone.send('POST', '/yaopai/v1/binding/preview', { bind_code: code })
  assert.equal(preview.json.masked, 'ha***ei')
  const [thief] = await phoneOf('xiaohong')
  assert.equal((await thief.send('POST', '/yaopai/v1/binding/preview', { bind_code: code })).code, 'bind_code_invalid')
  const bound = await phone.bind({ way: 'bind_code', bind_code: code })
  assert.deepEqual([bound.status, bound.json.user], [200, '1004'])
  assert.equal((await phone.bind({ way: 'bind_code', bind_code: code })).code, 'bind_code_invalid', 'used up')
})

test('the website shows a code only to who is signed in', async () => {
  for (const basic of [undefined, 'hanmeimei:wrong', 'nobody:peach-27', ':', 'hanmeimei']) {
    const answer = await fetch(shop.website, { headers: basic ? { Authorization: `Basic ${btoa(basic)}` } : {} })
    assert.equal(answer.status, 401, basic)
    assert.doesNotMatch(await answer.text(), /yb_/)
  }
})

test('paying wants WeChat’s fresh word', async () => {
  const [phone] = await phoneOf('xiaoming')
  await phone.send('POST', '/orders', { item: 'ink' })
  await wait(2100) // The stack has the real clock, and the shortest demand is one second.
  assert.equal(said(await phone.send('POST', '/pay')), '401 login_required')
  assert.equal((await phone.stepUp()).status, 200)
  assert.deepEqual((await phone.send('POST', '/pay')).json, { user: 1001, paid: 1 })
  assert.deepEqual((await phone.send('GET', '/orders')).json.paid, 1)
})

test('who is kicked from another device is told so', async () => {
  const [phone, session] = await phoneOf('xiaoming', { type: 'phone' })
  const [tablet] = await phoneOf('xiaoming', { type: 'tablet' })
  const devices = (await tablet.send('GET', '/yaopai/v1/sessions')).json.sessions
  assert.ok(devices.some(each => each.session_id === session.session_id && each.device.type === 'phone'))
  assert.equal((await tablet.send('DELETE', `/yaopai/v1/sessions/${session.session_id}`)).status, 204)
  assert.equal(said(await phone.send('GET', '/orders')), '401 session_kicked')
  assert.equal(said(await phone.send('GET', '/goods')), '401 session_kicked', 'no guest either: the person must learn of it')
  const row = (await shop.audit()).find(each => each.kind === 'session_ended' && each.session_id === session.session_id)
  assert.deepEqual([row.code, row.by], ['kicked', 'client'])
})

test('who unlinks is a guest again, also at the next login', async () => {
  const [phone] = await phoneOf('lilei')
  await phone.bind({ way: 'form', form: { account: 'lilei', password: 'dumpling-42' } })
  await phone.stepUp()
  assert.equal((await phone.send('POST', '/unlink')).status, 200)
  assert.equal((await phone.send('DELETE', '/yaopai/v1/binding')).status, 204)
  const [, again] = await phoneOf('lilei')
  assert.equal(again.bound, false)
})

test('a copied token, a captured request, another body: nothing of it reaches the shop', async () => {
  const [phone, session] = await phoneOf('xiaoming')
  const { host } = new URL(shop.url)
  const body = '{"item":"tea"}'
  const captured = sign(phone.session, { method: 'POST', host, path: '/orders', query: '', body }, Date.now())
  const again = () => phone.send('POST', '/orders', { item: 'tea' }, { signed: false, fields: captured })
  assert.equal((await again()).status, 201)
  assert.equal(said(await again()), '401 proof_replayed')
  const { seq, code } = (await shop.audit()).find(each => each.kind === 'proof' && each.session_id === session.session_id)
  assert.deepEqual([seq > 0, code], [true, 'proof_replayed'])

  const token = { Authorization: `Bearer ${session.token}` }
  assert.equal(said(await phone.send('GET', '/orders', undefined, { signed: false, fields: token })), '401 proof_required')
  const before = (await phone.send('GET', '/orders')).json.orders.length
  const swapped = await phone.send('POST', '/orders', { item: 'tea' }, { sent: '{"item":"ink"}' })
  assert.deepEqual([swapped.status, swapped.json.error], [400, 'the body is not the one that was signed'])
  assert.equal((await phone.send('GET', '/orders')).json.orders.length, before)
  const forged = await phone.send('GET', '/orders', undefined, { fields: { 'Yaopai-User': '1002' } })
  assert.equal(said(forged), '400 header_forged')
})

test('what is no route of the shop’s is not reachable through nginx', async () => {
  const [phone] = await phoneOf('xiaoming')
  for (const path of ['/yaopai-webhook', '/website', '/orders/', '/check/nginx/-/GET/http/h/orders']) {
    const answer = await phone.send('POST', path, {})
    assert.deepEqual([answer.status, answer.code], [404, null], path)
  }
})
