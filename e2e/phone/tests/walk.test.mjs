// The hello app, as a person uses it.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ground, HELLO } from './ground.mjs'

const here = ground()
let phone
let heard
before(async () => { phone = await here.start(HELLO, { person: 'xiaohong' }) })

test('login, cookie, storage, socket, upload, download, and away to the page for binding', async () => {
  assert.equal(await phone.page(), 'pages/home/home')
  await phone.waitFor('还没有')
  await phone.tap('登录')
  await phone.waitForPage('pages/bind/bind')
  await phone.waitFor('绑定，来自 home')
  await phone.back()
  const text = await phone.waitFor('共 8 步')
  for (const line of [
    'code 32', 'login xiaohong', 'cookies ["sid=1; Path=/; HttpOnly","lang=zh; Expires=Wed, 21 Oct 2037 07:28:00 GMT"]', 'kept true',
    'echo hello sid=1; lang=zh', 'upload "whole" false up=1,load=2', 'download 下载的', 'orders 403',
  ]) assert.ok(text.includes(line), `${line} in:\n${text}`)
  assert.deepEqual(await phone.storage(), {
    cookie: { value: 'sid=1; lang=zh', encrypted: false }, secret: { value: { cookie: 'sid=1; lang=zh' }, encrypted: true },
  })
  assert.deepEqual(phone.errors(), [])
  heard = [...here.shop.heard]
})

test('what is sent is what the WeChat client sends', async () => {
  const [login] = heard
  assert.equal(login.headers.referer, 'https://servicewechat.com/wx0123456789abcdef/12/page-frame.html')
  assert.equal(login.headers.host, 'shop.example')
  assert.equal(login.headers.cookie, 'seen=1')
  assert.equal(login.headers['content-type'], 'application/json')
  assert.match(login.headers['user-agent'], /MicroMessenger/)
  for (const { headers } of heard) {
    assert.deepEqual(Object.keys(headers).filter(name => name === 'origin' || /^sec-(?!websocket)/.test(name)), [])
  }
  const upload = heard.find(({ path }) => path === '/upload')
  assert.match(upload.headers['content-type'], /^multipart\/form-data; boundary=/)
  assert.deepEqual(phone.requests('/login').map(({ kind, method, url, status }) => ({ kind, method, url, status })), [
    { kind: 'request', method: 'POST', url: 'https://shop.example/login', status: 200 },
  ])
})

test('the phone number is given only if the person says so', async () => {
  await phone.tap('手机号')
  await phone.waitFor('申请获取并验证你的手机号')
  await phone.tap('拒绝')
  await phone.waitFor('phone getPhoneNumber:fail user deny 0')
  await phone.tap('手机号')
  await phone.tap('允许')
  await phone.waitFor(/phone getPhoneNumber:ok [1-9]\d+/)
})

test('a code is the person\'s, and another one each time', async () => {
  const codes = await phone.evaluate(async ({ wx }) => [await wx.login(), await wx.login()])
  assert.notEqual(codes[0].code, codes[1].code)
  assert.equal((await here.sim.call('GET', `code/${codes[0].code}`)).user, 'xiaohong')
  const key = await phone.evaluate(({ wx }) => new Promise((success, fail) => { wx.getUserCryptoManager().getLatestUserKey({ success, fail }) }))
  assert.equal(Buffer.from(key.encryptKey, 'base64').length, 16)
  assert.ok(key.version >= 1 && key.expireTime > 0)
  const sealed = await phone.evaluate(({ wx }) => wx.getWeRunData())
  assert.ok(sealed.encryptedData && sealed.iv && sealed.errMsg === 'getWeRunData:ok')
  const profile = await phone.evaluate(({ wx }) => wx.getUserInfo())
  assert.ok(profile.encryptedData && profile.iv && profile.signature && profile.userInfo)
})
