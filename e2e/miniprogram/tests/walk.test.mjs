// A day with the shop: what a person does with it, from the first start on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { linkByForm, onEach, order, picture, sent } from '../world.mjs'

/** Seconds. Not the shortest, so that on a busy machine WeChat's word is still fresh when the request is sent again. */
const VOUCHED = 3

onEach({ vouched: VOUCHED }, world => {
  test('first start: a silent login, and goods for anybody', async () => {
    const phone = await world.open('xiaohong')
    assert.deepEqual(sent(phone), ['POST /yaopai/v1/session 201', 'GET /goods 200'])
    assert.match(await phone.text(), /游客/)
    await picture(phone, 'home-guest')
    const { stored, remembered } = world.expected
    assert.equal((await phone.storage()).yaopai?.encrypted, stored ? true : undefined)

    await phone.restart()
    await phone.waitFor('¥68.00')
    assert.deepEqual(sent(phone, 2), remembered ? ['GET /goods 200'] : ['POST /yaopai/v1/session 201', 'GET /goods 200'])
    assert.match(await phone.text(), /游客/)
  })

  test('a user is the same one after the next start, without a word', async () => {
    const phone = await world.open('xiaoming')
    const from = phone.requests().length
    await phone.restart()
    await phone.waitFor('小明，欢迎光临')
    await phone.waitFor('¥68.00')
    assert.deepEqual(sent(phone, from), world.expected.remembered ? ['GET /goods 200'] : ['POST /yaopai/v1/session 201', 'GET /goods 200'])
    await order(phone, 'tea')
  })

  test('wx.request is ours where it can be, and left alone where not; the session is there either way', async () => {
    const phone = await world.open('xiaoming')
    assert.equal(await phone.evaluate(({ wx }) => Boolean(wx.request.yaopai)), world.expected.patched)
    await order(phone, 'tea')
    const { headers } = phone.requests('POST http://127.0.0.1:8443/orders').at(-1)
    assert.ok(headers.signature && headers.authorization && headers['content-digest'])
  })

  test('whom the shop knows is found bound', async () => {
    const phone = await world.open('xiaoming')
    await phone.waitFor('小明，欢迎光临')
    await picture(phone, 'home-user')
    await phone.tap('#order-rice')
    await phone.waitFor('已下单')
    assert.equal(await phone.page(), 'pages/home/home')
  })

  test('a guest orders: the bind page opens by itself, and leads back', async () => {
    const phone = await world.open('lilei')
    await phone.tap('#order-tea')
    await phone.waitForPage('pages/bind/bind')
    await picture(phone, 'bind-form')
    await phone.tap('#link')
    await phone.waitFor('请填写账号和密码')
    await linkByForm(phone, 'lilei', 'guess')
    await phone.waitFor('账号或密码错误')
    await picture(phone, 'bind-wrong')
    await linkByForm(phone, 'lilei', 'dumpling-42')
    await phone.waitForPage('pages/home/home')
    await phone.waitFor('李雷，欢迎光临')
    await phone.tap('#order-tea')
    await phone.waitFor('已下单')
    await phone.tap('订单')
    await phone.waitFor('待付款')
    await picture(phone, 'orders-open')
  })

  test('a double tap orders once', async () => {
    const phone = await world.open('xiaoming')
    const from = phone.requests().length
    phone.delay('/orders', 300)
    await (await phone.locate('#order-ink')).dblclick()
    await phone.waitFor('已下单')
    await wait(300)
    assert.deepEqual(sent(phone, from), ['POST /orders 201'])
  })

  test('paying has WeChat vouch anew, silently', async () => {
    const phone = await world.open('xiaoming')
    await phone.tap('订单')
    await phone.waitFor('立即付款')
    await wait(VOUCHED * 1000 + 1100) // The stack has the real clock.
    const from = phone.requests().length
    await phone.tap('#pay')
    await phone.waitFor('没有待付款的订单')
    assert.deepEqual(sent(phone, from).slice(0, 3), ['POST /pay 401', 'POST /yaopai/v1/session/refresh 200', 'POST /pay 200'])
    await picture(phone, 'orders-paid')
  })

  test('a guest who looks at orders is asked, not sent away', async () => {
    const phone = await world.open('wangfang')
    await phone.tap('订单')
    await phone.waitFor('订单属于账号')
    await picture(phone, 'orders-guest')
    await phone.tap('#bind')
    await phone.waitForPage('pages/bind/bind')
    await phone.back()
    await phone.waitForPage('pages/order/order')
  })

  test('the phone button: refused, then allowed', async () => {
    const phone = await world.open('wangfang')
    await phone.tap('#order-rice')
    await phone.waitForPage('pages/bind/bind')
    await phone.tap('#way-1')
    await phone.tap('#phone')
    await picture(phone, 'bind-phone')
    await phone.tap('拒绝')
    await phone.waitFor('请用另外两种方式')
    await phone.tap('#phone')
    await phone.tap('允许')
    await phone.waitForPage('pages/home/home')
    await phone.waitFor('王芳，欢迎光临')
  })

  test('a bind code: whose it is is shown before it is redeemed', async () => {
    const phone = await world.open('hanmeimei', { language: 'en', shows: 'Have a look around' })
    await phone.tap('#order-tea')
    await phone.waitForPage('pages/bind/bind')
    await phone.tap('#way-2')
    await phone.fill('#code', 'yb_AAAAAAAAAAAAAAAAAAAAAA')
    await phone.tap('#look')
    await phone.waitFor('no longer good')
    phone.camera(await world.shop.bindCode('hanmeimei'))
    await phone.tap('#scan')
    await phone.waitFor('ha***ei')
    await picture(phone, 'bind-code')
    await phone.tap('#mine')
    await phone.waitForPage('pages/home/home')
    await phone.waitFor('韩梅梅')
    await phone.tap('Me')
    await phone.waitForPage('pages/devices/devices')
  })

  test('unlinking: a guest again, and at the next login too', async () => {
    const phone = await world.open('wangfang')
    await phone.tap('我的')
    await phone.waitFor('商城用户 1005')
    await picture(phone, 'me')
    await phone.tap('#unlink')
    await phone.tap('确定')
    await phone.waitFor('尚未关联商城账号')
    const again = await world.open('wangfang')
    assert.match(await again.text(), /游客/)
  })

  test('logging out: a farewell, and nobody logs in by itself', async () => {
    const phone = await world.open('xiaoming')
    await phone.tap('我的')
    await phone.waitFor('已登录的设备')
    await phone.tap('#logout')
    await phone.waitFor('期待再次光临')
    await picture(phone, 'logged-out')
    const from = phone.requests().length
    await phone.tap('商城')
    await phone.waitFor('重新登录')
    assert.deepEqual(sent(phone, from), [])
    await phone.tap('#again')
    await phone.waitFor('小明，欢迎光临')
  })
})
