import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

function open() {
  const keys = { 3: randomBytes(16), 4: randomBytes(16) }
  const phone = new Phone({
    wx(wx, self) {
      wx.getUserCryptoManager = () => ({
        getLatestUserKey: o => self.clock.setTimeout(() => {
          self.calls.key = (self.calls.key || 0) + 1
          o.success({ encryptKey: keys[self.server.wechat.version].toString('base64'), iv: '', version: self.server.wechat.version, expireTime: 3600 })
        }, 5),
      })
    },
  })
  phone.server.wechat = { version: 3, keys }
  phone.start = () => phone.install({ key: phone.load('wechat-key').wechatKey() })
  return phone
}
const keyid = phone => /keyid="([^"]+)"/.exec(phone.server.log.at(-1).headers['signature-input'])[1]

test('WeChat\'s key signs, and never crosses the wire', async () => {
  const phone = open()
  const client = phone.start()
  assert.equal((await phone.request({ url: `${shop}/a`, method: 'POST', data: { a: 1 } })).statusCode, 200)
  assert.equal(keyid(phone), client.session.id + '.3')
  assert.deepEqual(JSON.parse(phone.server.log[0].body).key, { wechat: { version: 3 } })
  assert.equal(JSON.parse(phone.storage.get('yaopai').data).key, undefined)
})

test('rule 20: the latest key before the one at hand expires', async () => {
  const phone = open()
  phone.start()
  await phone.request(`${shop}/a`)
  phone.server.wechat.version = 4
  await phone.clock.advance(59.5 * 60000)
  phone.server.idle = 1e6
  assert.equal((await phone.request(`${shop}/b`)).statusCode, 200)
  assert.match(keyid(phone), /\.4$/)
  assert.equal(phone.count('login'), 1)
})

test('login_required at a request: a step-up signed with the newest key', async () => {
  const phone = open()
  phone.start()
  await phone.request(`${shop}/a`)
  phone.server.wechat = { version: 4, keys: { 4: phone.server.wechat.keys[4] } }
  await phone.clock.advance(1000)
  assert.equal((await phone.request(`${shop}/b`)).statusCode, 200)
  assert.match(keyid(phone), /\.4$/)
  assert.equal(phone.server.sessions.size, 1)
})

test('login_required at the login: the latest key and a new code', async () => {
  const phone = open()
  phone.start()
  phone.server.refuse('/session', 'login_required', 401)
  assert.equal((await phone.request(`${shop}/a`)).statusCode, 200)
  assert.equal(phone.count('login'), 2)
  assert.equal(phone.count('key'), 2)
})

test('a secret from the server in place of WeChat\'s key is refused', async () => {
  const phone = open()
  const client = phone.start()
  const login = phone.server.login.bind(phone.server)
  phone.server.login = body => {
    const answer = login(body)
    return { ...answer, body: { ...answer.body, key: { alg: 'hmac-sha256', secret: randomBytes(32).toString('base64') } } }
  }
  await assert.rejects(phone.run(client.login()), { code: 'key_refused' })
})
