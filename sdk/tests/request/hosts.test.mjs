import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone, shop } from '../support/phone.mjs'

const FOREIGN = [
  'https://shop.example.evil/a', 'https://shop.example@evil.test/a', 'https://shop.example:pw@evil.test/a', 'http://shop.example/a',
  'https://shop.example:8443/a', 'https://shop.example\\@evil.test/a', 'https://evil.test/https://shop.example/', 'https://evilshop.example/a',
  'https://evil.test?x=https://shop.example/', 'https://evil.test#@shop.example/', 'https://sub.shop.example/a', 'https://shop.example./a',
  'https://shop%2eexample/a', ' https://shop.example/a', 'https:///shop.example/a', 'https:/shop.example/a', '//shop.example/a', '/a',
  'https://shop.example\t.evil.test/a', 'https://shop.example\n/a', 'https://shop.example:443@evil.test/', 'ftp://shop.example/a',
  'https://ｓhop.example/a', 'https://shop.example:/a', 'https://shop.example:443:80/a', 'javascript://shop.example/%0a',
]

for (const url of FOREIGN) {
  test(`other origins are untouched, no token goes to ${JSON.stringify(url)}`, async () => {
    const seen = []
    const phone = new Phone({
      wx(wx) {
        for (const kind of ['request', 'uploadFile', 'downloadFile', 'connectSocket']) {
          const real = wx[kind]
          wx[kind] = o => (o.url.includes('/yaopai/') || o.url === `${shop}/a` ? real(o) : (seen.push(o), { native: kind }))
        }
      },
    })
    const client = phone.install({ jar: { open: async () => 0, header: () => 'secret=1', take() {} } })
    await phone.request(`${shop}/a`)
    for (const kind of ['request', 'uploadFile', 'downloadFile', 'connectSocket']) {
      const options = { url, header: { a: '1' }, data: { q: 1 } }
      const task = phone.wx[kind](options)
      assert.equal(task.native, kind)
      assert.equal(seen.at(-1), options)
    }
    client.request({ url, header: { a: '1' } })
    await phone.clock.advance(1000)
    assert.deepEqual({ ...seen.at(-1).header }, { a: '1' })
    assert.equal(seen.at(-1).url, url)
  })
}

for (const url of ['HTTPS://SHOP.EXAMPLE/a', 'https://shop.example:443/a', 'https://Shop.Example/a', 'https://shop.example/a#f']) {
  test(`${url} is ours, and written in one way`, async () => {
    const phone = new Phone()
    phone.install()
    assert.equal((await phone.request(url)).statusCode, 200)
    assert.equal(phone.server.log.at(-1).url, `${shop}/a`)
  })
}

test('hosts: further origins carry the session, and those alone', async () => {
  const phone = new Phone()
  phone.install({ hosts: ['https://img.shop.example'] })
  await phone.request(`https://img.shop.example/a`)
  assert.match(phone.server.log.at(-1).headers.authorization, /^Bearer/)
})

test('a server behind a path prefix', async () => {
  const phone = new Phone()
  const handle = phone.server.handle.bind(phone.server)
  const paths = []
  phone.server.handle = r => {
    paths.push(r.url)
    return handle({ ...r, url: r.url.replace('/api/yaopai', '/yaopai') })
  }
  phone.install({ server: `${shop}/api/` })
  assert.equal((await phone.request(`${shop}/orders`)).statusCode, 200)
  assert.deepEqual(paths, [`${shop}/api/yaopai/v1/session`, `${shop}/orders`])
})

test('a URL that is none is said at once', () => {
  assert.throws(() => new Phone().create({ server: 'shop.example' }), /no URL/)
})

test('each scheme\'s own port is left out, and no other', async () => {
  const phone = new Phone()
  phone.install({ server: 'http://shop.example' })
  assert.equal((await phone.request('http://shop.example:80/a')).statusCode, 200)
  assert.equal(phone.server.log.at(-1).url, 'http://shop.example/a')
  await phone.request('http://shop.example:443/a')
  await phone.request('https://shop.example:80/a')
  assert.equal(phone.server.log.filter(r => r.headers.authorization).length, 1)
})
