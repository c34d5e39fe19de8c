// The example mini program on a phone, in front of the whole stack.

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startShop } from '../../examples/miniprogram/server/run.mjs'
import { closeBrowser, startPhone } from '../phone/driver/phone.mjs'
import { chosen } from './quirks.mjs'

const here = path => fileURLToPath(new URL(path, import.meta.url))

/** Where the mini program believes the shop to be: config.js. */
const ORIGIN = 'http://127.0.0.1:8443'
/** Longer than anything here takes on a busy machine, in milliseconds. */
const PATIENCE = 30_000
const NARROW = { width: 375, height: 812 }

/**
 * Tells the scenarios of each phone of the matrix (quirks.mjs): `tell(world)` names the tests. `options` are those of
 * `startShop`; each kind of phone has a shop of its own, that all of them find as it was.
 */
export function onEach(options, tell) {
  for (const kind of chosen()) {
    describe(kind.name, () => {
      const world = new World(kind)
      before(async () => { world.shop = await startShop(options) })
      afterEach(() => world.putAway())
      after(() => world.close())
      tell(world)
    })
  }
  after(closeBrowser)
}

/** The shop, and the phones that are opened before it. */
class World {
  #phones = []
  #nonces = []

  constructor({ quirks, expected }) {
    Object.assign(this, { quirks, expected })
  }

  /** A person's phone, with the mini program open and its goods shown. `options` go to `startPhone`. */
  async open(person, options = {}) {
    const phone = await startPhone({
      folder: here('../../examples/miniprogram'),
      packages: { yaopai: process.env.SDK || here('../../sdk') },
      sim: this.shop.sim,
      hosts: { [ORIGIN]: this.shop.url },
      name: '街角小店',
      viewport: NARROW,
      quirks: this.quirks,
      person,
      ...options,
    })
    phone.patience = () => PATIENCE
    this.#phones.push(phone)
    await phone.waitFor(options.shows ?? '¥68.00')
    return phone
  }

  /** The phones of a scenario. Nothing that an app threw may go unnoticed. */
  async putAway() {
    const phones = this.#phones.splice(0)
    const errors = phones.flatMap(phone => phone.errors())
    this.#nonces.push(...phones.flatMap(phone => phone.requests().flatMap(nonceOf)))
    await Promise.all(phones.map(phone => phone.close()))
    assert.deepEqual(errors, [])
  }

  /** All phones together: no two requests may be the same to the server, whatever the phones' random numbers are. */
  async close() {
    await this.shop?.stop()
    const nonces = this.#nonces
    assert.ok(nonces.length > 20, `only ${nonces.length} signed requests`)
    assert.equal(new Set(nonces).size, nonces.length, 'a nonce was used twice')
    for (const nonce of nonces) assert.match(nonce, /^[0-9A-Za-z]{22,43}$/)
  }

  /** A session as the back end sees it. */
  async sessionOf(account) {
    return (await this.shop.sessions(this.shop.accounts.byAccount(account).id)).at(-1)
  }
}

const nonceOf = ({ headers }) => [/;nonce="([^"]*)"/.exec(headers['signature-input'] ?? '')?.[1] ?? []].flat()

/** `METHOD /path status` of each request since `from`. */
export const sent = (phone, from = 0) => phone.requests().slice(from).map(({ method, url, status }) => `${method} ${new URL(url).pathname} ${status}`)

/** Taps, and waits until the order has gone through. */
export async function order(phone, item) {
  const done = () => sent(phone).filter(line => line === 'POST /orders 201').length
  const before = done()
  await phone.tap(`#order-${item}`)
  for (const until = Date.now() + PATIENCE; done() === before; await wait(20)) {
    if (Date.now() > until) throw new Error(`no order came through:\n${sent(phone).join('\n')}\n${await phone.text()}`)
  }
}

/** Keeps a picture, if somebody wants it. All phones look alike. */
export async function picture(phone, name) {
  const folder = process.env.SCREENSHOTS
  if (!folder || Object.keys(phone.client.quirks).length > 0) return
  mkdirSync(folder, { recursive: true })
  await phone.screenshot(join(folder, `${name}.png`))
}

/** Links the account that the person has. The bind page is open. */
export async function linkByForm(phone, account, password) {
  await phone.waitForPage('pages/bind/bind')
  await phone.fill('#account', account)
  await phone.fill('#password', password)
  await phone.tap('#link')
}
