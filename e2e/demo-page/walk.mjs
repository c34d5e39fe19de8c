// The walk: every button of the page, and what must appear when it is pressed.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { ME, MiniProgram, ORDERS, SHOP, textsOf } from './app.mjs'
import { shoot } from './shots.mjs'
import { watch } from './watch.mjs'

/** What a person reads on the page, by language: the rest is told by what the page calls things in its attributes. */
const WORDS = {
  en: { title: 'Yaopai, seen at work', wrong: 'Wrong account or password', number: 'has this phone number' },
  'zh-CN': { title: '腰牌演示', wrong: '账号或密码错误', number: '没有使用此手机号的账号' },
}
/** What a button is called by. */
const NAMES = ['person', 'do', 'trouble', 'language', 'viewOf']

/** Walks once; answers what it has done. */
export async function walk(browser, address, language, person) {
  const [page] = browser.pages()
  page.setDefaultTimeout(20_000)
  const watched = watch(page, address)
  const words = WORDS[language]
  const [there, pressed] = [new Set(), new Map()]
  let shots = 0

  /** Notes which buttons there are. */
  const look = async () => {
    const names = await page.$$eval('button, summary', (buttons, keys) => buttons.map(button => {
      const key = keys.find(k => button.dataset[k])
      if (key) return `${key}:${button.dataset[key]}`
      return button.id || (button.tagName === 'SUMMARY' ? 'summary' : button.className || button.textContent)
    }), NAMES)
    names.forEach(name => there.add(name))
  }
  const count = name => pressed.set(name, (pressed.get(name) ?? 0) + 1)
  const attribute = name => name.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`)
  /** Presses a button, and waits until what it set off is over. */
  const press = async (key, value) => {
    await look()
    await page.click(`button[data-${attribute(key)}="${value}"]`)
    await page.waitForFunction(() => !document.body.classList.contains('busy'))
    count(`${key}:${value}`)
    await look()
  }
  const trouble = name => press('trouble', name)
  const is = selector => page.waitForSelector(selector)
  const says = async (selector, text) => {
    await page.waitForFunction(([s, t]) => document.querySelector(s)?.textContent.includes(t), [selector, text])
  }
  const standings = () => page.$$eval('.tokens li', rows => rows.map(row => row.dataset.standing))
  const tokens = () => page.$$eval('.tokens li:not([data-key]) code', rows => rows.map(row => row.textContent))
  const app = new MiniProgram(page)
  const t = textsOf(language)
  /** Waits until the newest step has these messages and notes, in this order: what a tap sets off comes by and by. */
  const crossed = async (...expected) => {
    const seen = () => page.$$eval('#wire > li:first-child > ol > li', rows => rows.map(row => row.dataset.note ?? `${row.dataset.key} ${row.dataset.status}`))
    const missing = rows => expected.find(one => {
      const at = rows.findIndex(row => (one instanceof RegExp ? one.test(row) : row === one))
      rows = rows.slice(at + 1)
      return at < 0
    })
    const until = Date.now() + 20_000
    for (let rows = await seen(); missing(rows); rows = await seen()) {
      assert.ok(Date.now() < until, `${language}: no ${missing(rows)} in its place in ${JSON.stringify(rows)}`)
      await page.waitForTimeout(50)
    }
  }
  const shot = async name => { shots += await shoot(page, language, name) }

  // Its language is the browser's.
  await page.goto(address)
  await is('[data-person]')
  assert.equal(await page.title(), words.title)
  assert.equal(await page.getAttribute('html', 'lang'), language)
  await shot('1-pick')

  // Whom the shop knows is bound at the first login, and stays so.
  await press('person', 'xiaoming')
  await app.reads(t.home.welcome('小明'))
  await says('.path .user[aria-current]', '1001')
  await crossed('wx_login', 'login 201', 'exchange 200', 'goods 200', 'check_open 200', 'forward 200')
  await shot('2-shop')

  // Unlinked, with a phone number that the shop doesn't know: a code from the shop's website links the account again, once the person
  // has seen whose it is.
  const unlink = async () => {
    await app.tab(ME)
    await app.tap('unlink')
    await app.answer('.modal-confirm')
    await crossed('unlink 200', 'unbind 204', 'login 201', 'resolve 200')
    await is('.path .guest[aria-current]')
  }
  await unlink()
  await app.tap('bind')
  await app.tap('way-1')
  await app.tap('phone')
  await app.answer('.number-yes')
  await app.reads(words.number)
  await crossed('get_phone_number', 'bind 422', 'phone_number 200', 'hook_bind 200')
  await app.tap('way-2')
  await press('do', 'show-code')
  await crossed('bind_code 201')
  await app.fill('code', await page.textContent('[data-code]'))
  await app.tap('look')
  await app.reads('xi***ng')
  await crossed('preview 200')
  await app.tap('not-mine')
  await app.tap('scan')
  await app.reads('xi***ng')
  await crossed('scanned', 'preview 200')
  await shot('3-whose')
  await app.tap('mine')
  await says('.path .user[aria-current]', '1001')
  await crossed('bind 200', 'hook_bind 200', 'opened 200')
  await page.waitForFunction(() => !document.querySelector('[data-code]'))
  const leave = async () => {
    await press('do', 'leave')
    await is('[data-person]')
  }
  await leave()
  await press('person', person === 'wangfang' ? 'hanmeimei' : 'wangfang')
  await app.has('order-tea')
  await leave()

  // Who is new is a guest, and is led to the page to bind; a rejection is in the shop's own words.
  await press('person', person)
  await app.reads(t.home.guest)
  await is('.path .guest[aria-current]')
  await crossed('wx_login', 'login 201', 'exchange 200', 'resolve 200')
  await app.tap('order-tea')
  await app.has('account')
  await crossed('order 403', 'check_bound 403')
  await app.fill('account', await page.textContent('[data-account]'))
  await app.fill('password', '0000')
  await app.tap('link')
  await app.reads(words.wrong)
  await crossed('bind 422', 'hook_bind 200')
  await shot('4-rejected')
  await app.fill('password', await page.textContent('[data-password]'))
  await app.tap('link')
  await app.reads(t.home.linked)
  await crossed('bind 200', 'hook_bind 200', 'opened 200', 'goods 200')
  await is('.path .user[aria-current]')
  // The token, and the key.
  assert.deepEqual(await standings(), ['current', 'current'])
  const order = async item => {
    await app.tab(SHOP)
    await app.tap(`order-${item}`)
    await crossed('order 201', 'check_bound 200', 'forward 201')
  }
  for (const item of ['tea', 'rice', 'ink']) await order(item)
  await app.tab(ORDERS)
  await app.has('pay')

  // A refresh whose answer is lost is sent again, signed anew; token and key stay.
  const [token] = await tokens()
  await trouble('lose')
  await is('[data-trouble="lose"][aria-pressed="true"]')
  await trouble('refresh')
  await app.tab(SHOP)
  await crossed('refresh 200', 'resent', 'refresh 200')
  assert.equal(await page.locator('#wire > li:first-child .cross').count(), 1)
  assert.deepEqual(await tokens(), [token])
  await page.click('#wire > li:first-child [data-key="refresh"] summary')
  count('summary')
  await says('.raw', 'authorization: Bearer yp1_')
  await says('.raw', 'signature: yaopai=:')
  await says('.raw', 'https://servicewechat.com/')
  await shot('5-lost')

  // A clock that is wrong is set by the server's.
  await trouble('skew')
  await crossed('slow_clock', 'goods 401', 'check_open 401', 'clock_set', 'goods 200', 'check_open 200')
  await app.has('order-tea')
  await trouble('skew')
  await crossed('right_clock', 'goods 200')
  assert.deepEqual(await tokens(), [token])

  // A stolen token alone is worth nothing, and the session goes on.
  await app.tab(ORDERS)
  await app.has('pay')
  await trouble('steal')
  await says('.thief .pill', 'proof_required')
  await shot('6-stolen')
  if (process.env.DOCS) await docs(page, language)
  await trouble('thief_reads')
  await crossed('orders 401', 'check_bound 401')
  await trouble('thief_refreshes')
  await says('.thief .pill', 'proof_required')
  await crossed('refresh 401')

  // A copied request passes once, and nowhere else.
  await trouble('capture')
  await says('.thief .pill', 'proof_replayed')
  // Whichever the phone has sent last.
  await crossed('captured', /^(goods|orders) 401$/, /^check_(open|bound) 401$/)
  await trouble('thief_moves')
  await says('.thief .pill', 'proof_invalid')
  await trouble('window')
  await trouble('thief_repeats')
  await says('.thief .pill', 'proof_stale')
  await app.tab(SHOP)
  await app.tab(ORDERS)
  await crossed('orders 200')
  await is('.path .user[aria-current]')
  assert.deepEqual(await tokens(), [token])

  // Two devices: each can sign the other out; who is out is told, and has to want to go on.
  await trouble('tablet')
  await app.tab(ME)
  const kick = app.top.locator('[id*="--kick-"]')
  await kick.waitFor()
  await shot('7-me')
  await app.press(kick)
  await app.answer('.modal-confirm')
  await kick.waitFor({ state: 'detached' })
  await trouble('kicked')
  await crossed('login 201', 'sessions 200', 'kick 204')
  await is('.path .ended[aria-current]')
  await app.tab(SHOP)
  await crossed('goods 401')
  await app.reads(t.errors.session_kicked)
  await shot('8-kicked')
  await app.answer('.modal-cancel')
  await app.tap('again')
  await app.has('order-tea')

  // Who pays must have been vouched for lately: at first nothing is in the way, later WeChat vouches anew, unseen.
  await order('tea')
  await app.tab(ORDERS)
  await app.tap('pay')
  await crossed('pay 200', 'check_vouched 200', 'forward 200', 'orders 200')
  await app.has('settled')
  await order('ink')
  await trouble('vouched')
  await app.tab(ORDERS)
  await app.tap('pay')
  await crossed('pay 401', 'check_vouched 401', 'wx_login', 'step_up', 'step_up 200', 'exchange 200', 'pay 200', 'check_vouched 200')
  await app.has('settled')
  assert.deepEqual(await standings(), ['current', 'current'])
  await shot('9-paid')

  // What has expired comes back by itself.
  for (const [how, tab] of [['idle', SHOP], ['absolute', ORDERS]]) {
    await trouble(how)
    await is('.path .ended[aria-current]')
    await app.tab(tab)
    await crossed('silent_login', 'login 201', tab === SHOP ? 'goods 200' : 'orders 200')
  }

  // Without WeChat there is no new login; the session that runs goes on.
  await trouble('outage')
  await is('[data-trouble="outage"][aria-pressed="true"]')
  await app.tab(SHOP)
  await crossed('goods 200')
  await app.tab(ME)
  await app.tap('logout')
  await app.reads(t.ended.logout)
  await app.tap('again')
  await app.reads(t.errors.platform_unavailable)
  await crossed('login 503', 'exchange 502')
  await trouble('outage')
  await app.tap('again')
  await app.has('logout')

  await trouble('session_key')
  await crossed('session_key')
  // What WeChat encrypts with the new key opens once the server has that, too.
  await app.tap('steps')
  await crossed('get_steps', 'decrypt 409', 'key_check 200', 'wx_login', 'step_up', 'step_up 200', 'get_steps', 'decrypt 200')
  await app.reads(t.me.today(8642))
  await trouble('forge')
  await crossed('orders 400', 'check_bound 400')

  // Unlinked, the person is a guest again; the phone number that WeChat has verified links the account anew, without a password.
  await unlink()
  await page.click('.past summary')
  await app.tap('bind')
  await app.tap('way-1')
  await app.tap('phone')
  await app.answer('.number-yes')
  await crossed('get_phone_number', 'bind 200', 'phone_number 200', 'hook_bind 200', 'opened 200')
  await is('.path .user[aria-current]')
  await press('language', language === 'en' ? 'zh-CN' : 'en')
  assert.notEqual(await page.title(), words.title)
  await press('language', language)
  assert.equal(await page.title(), words.title)
  // Begun anew each time; what it asks for must not come after the log was emptied.
  await app.has('order-tea')
  await crossed('goods 200', 'check_open 200', 'forward 200')
  await page.click('#clear')
  count('clear')
  await page.waitForFunction(() => document.querySelectorAll('#wire li').length === 0)
  for (const view of ['phone', 'session', 'wire']) count(`viewOf:${view}`)

  const never = [...there].filter(name => !pressed.has(name))
  assert.deepEqual(never, [], 'buttons that were never pressed')
  await watched.end()

  // In a second window the mini program goes on there, and can be fetched back. (What still runs in the first is told so by a 410.)
  const other = await browser.newPage()
  await other.goto(address)
  const there2 = new MiniProgram(other)
  await there2.has('order-tea')
  await page.click('[data-do="here"]')
  await app.has('order-tea')
  await other.waitForSelector('[data-do="here"]')
  await other.close()
  await leave()
  const presses = [...pressed.values()].reduce((a, b) => a + b, 0)
  return { buttons: there.size, presses, taps: app.taps, shots }
}

/** The picture for the README. */
async function docs(page, language) {
  await page.screenshot({ path: join(process.env.DOCS, `demo-page.${language}.png`) })
}
