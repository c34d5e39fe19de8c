// The page stack and its life.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ground, HELLO, PROBE } from './ground.mjs'

const here = ground()
const seen = phone => phone.evaluate(({ app }) => app.globalData.seen)
const call = (phone, name, options) => phone.evaluate(({ app }, given) => app.callback(...given), [name, options])
const promised = (phone, name, options) => phone.evaluate(({ wx }, given) => wx[given[0]](given[1]).catch(error => error), [name, options])

test('an app is launched, its page loaded, shown and ready, in this order', async () => {
  const phone = await here.start(HELLO, { entry: 'pages/home/home?scene=7' })
  assert.deepEqual(await seen(phone), ['launch pages/home/home', 'app show', 'home load {"scene":"7"}', 'home show', 'home ready'])
})

test('tabs: pages stay alive, and are told of the tap', async () => {
  const phone = await here.start(HELLO)
  await phone.tap('我的')
  await phone.waitForPage('pages/mine/mine')
  await phone.waitFor('名字 hello')
  await phone.tap('首页')
  await phone.waitForPage('pages/home/home')
  await phone.tap('我的')
  await phone.waitForPage('pages/mine/mine')
  assert.deepEqual((await seen(phone)).slice(5), ['home hide', 'mine load', 'mine show', 'tab 我的', 'home show', 'home hide', 'mine show', 'tab 我的'])
  assert.match((await promised(phone, 'navigateTo', { url: '/pages/home/home' })).errMsg, /^navigateTo:fail can not navigateTo a tabbar page/)
})

test('a tab is called what setTabBarItem says, on pages with tabs only', async () => {
  const phone = await here.start(HELLO)
  assert.equal((await promised(phone, 'setTabBarItem', { index: 1, text: 'Me' })).errMsg, 'setTabBarItem:ok')
  await phone.tap('Me')
  await phone.waitForPage('pages/mine/mine')
  assert.equal((await seen(phone)).at(-1), 'tab Me')
  assert.equal((await promised(phone, 'setTabBarItem', { index: 2, text: 'x' })).errMsg, 'setTabBarItem:fail tabbar item not found')
  await promised(phone, 'navigateTo', { url: '/pages/forms/forms' })
  assert.equal((await promised(phone, 'setTabBarItem', { index: 1, text: 'x' })).errMsg, 'setTabBarItem:fail not TabBar page')
})

test('scanCode finds what the camera sees, without a network too; else the person goes back', async () => {
  const phone = await here.start(PROBE)
  assert.equal((await call(phone, 'scanCode')).errMsg, 'scanCode:fail cancel')
  phone.camera('yb_1')
  phone.airplane(true)
  assert.deepEqual(await call(phone, 'scanCode'), { fine: true, result: 'yb_1', scanType: 'QR_CODE', charSet: 'UTF-8', path: '', errMsg: 'scanCode:ok' })
})

test('ten pages lie on the stack, and not one more; back leads to the first and no further', async () => {
  const phone = await here.start(PROBE)
  for (let depth = 1; depth < 10; depth += 1) assert.equal((await call(phone, 'navigateTo', { url: `../two/two?depth=${depth}` })).errMsg, 'navigateTo:ok')
  assert.equal((await call(phone, 'navigateTo', { url: '/pages/two/two' })).errMsg, 'navigateTo:fail webview count limit exceed')
  await phone.waitFor('二 9')
  assert.equal((await call(phone, 'redirectTo', { url: '/pages/two/two?depth=x' })).errMsg, 'redirectTo:ok')
  await phone.waitFor('二 x')
  await call(phone, 'navigateBack', { delta: 2 })
  await phone.waitFor('二 7')
  await call(phone, 'navigateBack', { delta: 100 })
  assert.equal(await phone.page(), 'pages/one/one')
  assert.equal((await call(phone, 'navigateBack', {})).errMsg, 'navigateBack:fail cannot navigate back at first page.')
  assert.deepEqual((await phone.evaluate(({ app }) => app.told)).filter(line => line.includes('unload')), ['9', 'x', '8', '7', '6', '5', '4', '3', '2', '1'].map(one => `two unload ${one}`))
  assert.match((await call(phone, 'navigateTo', { url: '/pages/none' })).errMsg, /^navigateTo:fail page "\/pages\/none" is not found/)
})

test('pages talk by an event channel; reLaunch leaves one page', async () => {
  const phone = await here.start(PROBE)
  const heard = await phone.evaluate(async ({ wx }) => {
    const told = []
    const { eventChannel } = await wx.navigateTo({ url: '/pages/two/two', events: { back: value => told.push(value) } })
    const page = phone.pages.instances().at(-1)
    page.getOpenerEventChannel().on('there', value => told.push(value))
    eventChannel.emit('there', 1)
    page.getOpenerEventChannel().emit('back', 2)
    await wx.reLaunch({ url: '/pages/two/two?depth=1' })
    return [told, phone.pages.instances().map(one => one.route)]
  })
  assert.deepEqual(heard, [[1, 2], ['pages/two/two']])
})

test('pull to refresh reaches the page; an error reaches the app, and stops nothing', async () => {
  const phone = await here.start(HELLO)
  await phone.evaluate(({ wx }) => wx.startPullDownRefresh())
  await phone.evaluate(({ phone: inside }) => { inside.pages.top.instance.forms = () => { throw new Error('on purpose') }; inside.clock.deliver(() => inside.pages.top.instance.forms()) })
  const lines = await seen(phone)
  assert.ok(lines.includes('home pull'))
  assert.ok(lines.some(line => line === 'error Error: on purpose'), lines.join('\n'))
  assert.deepEqual(phone.errors(), ['on purpose'])
  await phone.tap('组件')
  await phone.waitForPage('pages/parts/parts')
})
