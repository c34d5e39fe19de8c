import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const settle = phone => phone.clock.advance(60000)

test('a ticket is for a host and path, and keeps query and fragment', async () => {
  const phone = new Phone()
  const client = phone.create()
  const url = await phone.run(client.ticket('https://SHOP.example/图/a?x=1#/route', 'web-view'))
  assert.match(url, /^https:\/\/shop\.example\/%E5%9B%BE\/a\?x=1&yaopai_ticket=yt1_\w+#\/route$/)
  assert.deepEqual(JSON.parse(phone.server.log.at(-1).body), { authority: 'shop.example', path: '/%E5%9B%BE/a', for: 'web-view' })
  await assert.rejects(phone.run(client.ticket('https://shop.example@evil.test/', 'image')), { code: 'not_ours' })
})

test('taro #13486: a socket has a ticket in its URL, not header fields; a reconnect asks for a new one', async () => {
  const phone = new Phone()
  phone.install()
  for (let i = 0; i < 2; i++) {
    const told = []
    const task = phone.wx.connectSocket({ url: 'wss://shop.example/chat?room=7' })
    task.onOpen(() => told.push('open'))
    task.onMessage(m => told.push(m.data))
    task.onClose(() => told.push('close'))
    task.send({ data: 'early' })
    await settle(phone)
    const socket = phone.sockets[i]
    assert.match(socket.url, /^wss:\/\/shop\.example\/chat\?room=7&yaopai_ticket=yt1_\w+$/)
    assert.deepEqual(socket.sent, ['early'])
    task.send({ data: 'late' })
    assert.deepEqual(socket.sent, ['early', 'late'])
    socket.on.message.forEach(l => l({ data: 'hi' }))
    task.close({ code: 1000 })
    assert.deepEqual(told, ['open', 'hi', 'close'])
  }
  assert.notEqual(phone.sockets[0].url, phone.sockets[1].url)
  assert.equal(phone.count('login'), 1)
})

test('a socket that is closed before it has a ticket is never opened', async () => {
  const phone = new Phone()
  phone.install()
  const told = []
  const task = phone.wx.connectSocket({ url: 'wss://shop.example/chat' })
  task.onClose(c => told.push(c.code))
  task.close()
  await settle(phone)
  assert.deepEqual(told, [1000])
  assert.equal(phone.sockets.length, 0)
})

test('a socket that gets no ticket fails as one that could not connect', async () => {
  const phone = new Phone()
  phone.install()
  await phone.request(`${shop}/a`)
  phone.server.refuse('/ticket', 'field_invalid', 400)
  const told = []
  const task = phone.wx.connectSocket({ url: 'wss://shop.example/', fail: e => told.push(e.code) })
  task.onError(e => told.push(e.errMsg))
  task.onClose(c => told.push(c.code))
  await settle(phone)
  assert.deepEqual(told, ['field_invalid', 'request:fail field_invalid', 1006])
})

test('taro #13181: what a socket\'s options hold besides goes to the platform as it is', async () => {
  let seen
  const phone = new Phone({
    wx(wx) {
      const { connectSocket } = wx
      wx.connectSocket = o => ((seen = o), connectSocket(o))
    },
  })
  phone.install()
  phone.wx.connectSocket({ url: 'wss://shop.example/', protocols: ['a'], tcpNoDelay: true })
  await settle(phone)
  assert.deepEqual([seen.protocols, seen.tcpNoDelay], [['a'], true])
})

test('devices, kick', async () => {
  const phone = new Phone()
  const client = phone.create()
  const devices = await phone.run(client.devices())
  assert.equal(devices[0].session_id, client.session.id)
  await phone.run(client.kick('0'))
  assert.match(phone.server.log.at(-1).url, /sessions\/0$/)
})

test('session_key_stale: the session is renewed by a code, and the caller gets the data anew', async () => {
  const phone = new Phone()
  const client = phone.create()
  await phone.run(client.login())
  phone.server.refuse('/decrypt', 'session_key_stale', 409)
  await phone.clock.advance(1000)
  await assert.rejects(phone.run(client.decrypt({ encryptedData: 'a', iv: 'b' })), { code: 'session_key_stale' })
  assert.equal(phone.server.count('/session/refresh'), 1)
  assert.equal((await phone.run(client.decrypt({ encryptedData: 'a', iv: 'b' }))).nickName, 'x')
  assert.deepEqual(JSON.parse(phone.server.log.at(-1).body), { encrypted_data: 'a', iv: 'b' })
})

test('a call in a session that is over goes on in a new one; a refusal says code, status and when again', async () => {
  const phone = new Phone()
  const client = phone.create()
  await phone.run(client.login())
  for (const s of phone.server.sessions.values()) s.ended = 'session_expired'
  assert.equal((await phone.run(client.devices())).length, 1)
  phone.server.refuse('/phone', 'rate_limited', 429, { retry: 300 })
  await assert.rejects(phone.run(client.phone('x')), e => e.code === 'rate_limited' && e.status === 429 && e.retryIn === 300 && /频繁/.test(e.message))
})

test('our own calls outlive an answer that is lost, and a proxy\'s 502', async () => {
  const phone = new Phone()
  const client = phone.create()
  await phone.run(client.login())
  phone.fault('/sessions', 'lost')
  phone.server.refuse('/sessions', '', 502, { answer: { status: 502, headers: {}, body: '<html>' } })
  assert.equal((await phone.run(client.devices())).length, 1)
})

test('our own calls without a network say so', async () => {
  const phone = new Phone()
  const client = phone.create()
  await phone.run(client.login())
  for (let i = 0; i < 4; i++) phone.fault('/sessions', 'unsent')
  await assert.rejects(phone.run(client.devices()), { code: 'network', status: 0 })
})
