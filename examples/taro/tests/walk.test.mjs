// What Taro has compiled, on a phone: a guest orders, is sent to the bind page, links an account, and is back at the order.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { closeBrowser, startPhone } from '../../../e2e/phone/driver/phone.mjs'
import { startShop } from '../../miniprogram/server/run.mjs'

const folder = fileURLToPath(new URL('../', import.meta.url))

after(closeBrowser)

for (const dist of ['dist', 'dist-unpatched']) {
  test(`${dist} holds the library once, and nothing is left to be found at run time`, () => {
    const files = readdirSync(`${folder}/${dist}`, { recursive: true }).filter(name => name.endsWith('.js'))
    const code = files.map(name => readFileSync(`${folder}/${dist}/${name}`, 'utf8'))
    assert.equal(code.filter(text => text.includes('yaopai_ticket')).length, 1)
    assert.equal(code.filter(text => /require\(["'](yaopai|@tarojs)/.test(text)).length, 0)
  })
}

const WAYS = [['wx.request patched', 'dist', {}], ['promises made of timers', 'dist', { macrotaskPromise: true }], ['the interceptor', 'dist-unpatched', {}]]
for (const [name, dist, quirks] of WAYS) {
  test(`a guest orders: ${name}`, async () => {
    const shop = await startShop({ known: null })
    let phone
    try {
      phone = await startPhone({ folder: folder + dist, sim: shop.sim, person: 'lilei', hosts: { 'https://shop.example': shop.url }, language: 'en', quirks })
      await phone.waitFor('Hello guest')
      await phone.tap('tea')
      await phone.waitForPage('pages/order/index')
      await phone.tap('Order')
      await phone.waitForPage('pages/bind/index')
      await phone.fill('.account', 'lilei')
      await phone.fill('.password', 'guess')
      await phone.tap('Link my account')
      await phone.waitFor('密码错误')
      await phone.fill('.password', 'dumpling-42')
      await phone.tap('Link my account')
      await phone.waitForPage('pages/order/index')
      await phone.tap('Order')
      await phone.waitFor('Ordered tea')
      await phone.back()
      await phone.waitFor('Hello 1002')
      assert.equal(phone.requests('POST https://shop.example/yaopai/v1/session').filter(({ url }) => url.endsWith('/session')).length, 1)
      for (const { headers } of phone.requests('/orders')) assert.ok(Object.keys(headers).some(field => field.toLowerCase() === 'signature'))
      assert.deepEqual(phone.errors(), [])
    } catch (error) {
      if (phone) error.message += `\n${await phone.page()}\n${await phone.text()}\n${phone.requests("").map(({ method, url, status, failure }) => `${method} ${url} ${status ?? failure}`).join("\n")}`
      throw error
    } finally {
      if (phone) await phone.close()
      await shop.stop()
    }
  })
}
