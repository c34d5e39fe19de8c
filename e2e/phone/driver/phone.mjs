// A phone to be driven by tests: `const phone = await startPhone({ folder, sim, person })`.

import { chromium } from 'playwright-core'
import { buildApp } from '../build/build.mjs'
import { buildRuntime } from '../build/runtime.mjs'
import { NoAccount, SimulatedAccount } from '../client/account.mjs'
import { WeChatClient } from '../client/client.mjs'
import { serve } from '../client/server.mjs'
import { Hand, PATIENCE } from './hand.mjs'

export const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
const SIZE = { width: 390, height: 844 }

let browser
let runtime
const built = new Map()

/** One browser for all phones of a process; each phone is a context of its own. */
async function browserOf() {
  browser ??= chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: FLAGS })
  return browser
}

export async function closeBrowser() {
  if (browser) await (await browser).close()
  browser = undefined
}

/**
 * `folder`: of the mini program. `packages`: name to folder, for npm packages that aren't installed in it. `sim`: `{ url, token }` of
 * `yaopai sim`. `person`: one of its users. `quirks`: README.md lists them. `hosts`: the origins that the app names, and where they are.
 * `clockOffset`: how wrong the phone's clock is, in ms. `manualClock`: time passes by `clock(ms)` alone. `entry`: the page it opens with. `store`: a Map, to share a storage.
 */
export async function startPhone({
  folder, packages, sim, person = 'xiaoming', appid = 'wx0123456789abcdef', version = 12, name = '小程序', quirks = {}, hosts, clockOffset, manualClock = false, language, entry, store, viewport = SIZE,
}) {
  const key = JSON.stringify([folder, packages])
  if (!built.has(key)) built.set(key, buildApp(folder, { packages }))
  runtime ??= buildRuntime()
  const account = sim ? new SimulatedAccount({ sim, appid, person }) : new NoAccount()
  const odd = clockOffset === undefined ? quirks : { ...quirks, wrongClock: clockOffset }
  const client = new WeChatClient({ appid, version, name, account, hosts, quirks: odd, language, entry, store, clock: { skipped: 0, ...(manualClock ? { start: Date.now() } : {}) } })
  const server = await serve(client, new Map([...runtime, ...built.get(key)]))
  const context = await (await browserOf()).newContext({ viewport, deviceScaleFactor: 2, reducedMotion: 'reduce', locale: 'zh-CN' })
  const phone = new Phone({ client, server, context })
  await phone.open()
  return phone
}

class Phone extends Hand {
  constructor(parts) {
    super()
    Object.assign(this, parts)
    this.failures = []
    this.lines = []
  }

  async open() {
    this.tab = await this.context.newPage()
    this.tab.setDefaultTimeout(PATIENCE)
    this.tab.on('pageerror', error => this.failures.push(error))
    this.tab.on('console', line => {
      this.lines.push(`${line.type()}: ${line.text()}`)
      if (line.text().startsWith('unhandled rejection: ')) this.failures.push(new Error(line.text()))
    })
    // Pictures may take as long as they like.
    await this.tab.goto(this.server.url, { waitUntil: 'domcontentloaded' })
    try {
      await this.tab.evaluate(() => phone.started)
      if (await this.tab.evaluate(() => phone.started === undefined)) throw new Error('app.js did not run')
    } catch (error) {
      throw new Error(`the app did not start: ${this.failures[0]?.stack || this.failures[0]?.message || error.message}`, { cause: error })
    }
  }

  /** The route of the page on top. */
  page() {
    return this.tab.evaluate(() => phone.page())
  }

  /** Swiped away and opened again: a cold start with the storage it had. */
  async restart() {
    await this.tab.evaluate(() => phone.link.idle)
    await this.tab.close()
    await this.open()
  }

  /** The same, in the middle of whatever it was doing. */
  async crash() {
    await this.tab.close({ runBeforeUnload: false })
    await this.open()
  }

  background() {
    return this.tab.evaluate(() => phone.background())
  }

  foreground() {
    return this.tab.evaluate(() => phone.foreground())
  }

  /** Lets so many milliseconds pass on the phone. */
  clock(ms) {
    this.client.clock.skipped += ms
    return this.tab.evaluate(time => phone.clock.advance(time), ms)
  }

  /** What the camera sees from now on, for `wx.scanCode`: a text, or undefined for nothing. */
  camera(text) {
    this.client.camera = text
  }

  airplane(on) {
    this.client.airplane(on)
  }

  cutSockets() {
    this.client.cutSockets()
  }

  /** Of the next request whose `METHOD url` has this in it, or matches it: done, and nobody hears. */
  loseAnswer(match, times) {
    this.client.troubles.add({ what: 'lose-answer', match, times })
  }

  loseRequest(match, times) {
    this.client.troubles.add({ what: 'lose-request', match, times })
  }

  delay(match, ms, times) {
    this.client.troubles.add({ what: 'delay', match, ms, times })
  }

  sendTwice(match, times) {
    this.client.troubles.add({ what: 'twice', match, times })
  }

  /** All requests since the start: `{ kind, method, url, headers, body, status, failure }`, names of headers in small letters. */
  requests(match) {
    return this.client.requests.filter(one => match === undefined || `${one.method} ${one.url}`.includes(match))
  }

  /** What is stored: key to `{ value, encrypted }`. */
  async storage() {
    await this.tab.evaluate(() => phone.link.idle)
    return Object.fromEntries([...this.client.store.values()].map(({ key, value, encrypted }) => [key, { value: JSON.parse(value), encrypted }]))
  }

  /** Runs in the page, beside the app: `({ wx, app, pages, phone }, argument) => …`. Its promises are awaited. */
  evaluate(run, argument) {
    return this.tab.evaluate(([text, given]) => {
      const inside = { wx: phone.wx, app: phone.app.instance, pages: phone.pages.instances(), phone }
      return (0, eval)(`(${text})`)(inside, given)
    }, [run.toString(), argument])
  }

  /** What the app threw and nobody caught. */
  errors() {
    return this.failures.map(error => error.message)
  }

  async close() {
    await this.context.close()
    await this.server.close()
  }
}
