// The walk: every button of the page, and what must appear when it is pressed.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { shoot } from './shots.mjs'
import { watch } from './watch.mjs'

/** What a person reads, by language: the rest is told by what the page calls things in its attributes. */
const WORDS = {
  en: { title: 'Yaopai, seen at work', wrong: 'Wrong account or password', kicked: 'Another device', down: 'WeChat does not answer', forged: 'only the proxy', tea: 'Tea', guest: 'You are a guest', number: 'has this phone number' },
  'zh-CN': { title: '腰牌演示', wrong: '账号或密码错误', kicked: '另一台设备', down: '微信暂时没有响应', forged: '只能由代理说明', tea: '茶叶', guest: '游客可以随便逛', number: '没有使用此手机号的账号' },
}
/** What a button is called by. */
const NAMES = ['person', 'tab', 'order', 'go', 'do', 'kick', 'fill', 'way', 'trouble', 'language', 'viewOf']

/** Walks once; answers what it has done. */
export async function walk(browser, address, language, person) {
  const [page] = browser.pages()
  page.setDefaultTimeout(10_000)
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
  const tab = name => press('tab', name)
  const is = selector => page.waitForSelector(selector)
  const says = async (selector, text) => {
    await page.waitForFunction(([s, t]) => document.querySelector(s)?.textContent.includes(t), [selector, text])
  }
  const screen = name => is(`[data-screen="${name}"]`)
  const standings = () => page.$$eval('.tokens li', rows => rows.map(row => row.dataset.standing))
  const tokens = () => page.$$eval('.tokens li:not([data-key]) code', rows => rows.map(row => row.textContent))
  /** The newest step's messages and notes, in their order. */
  const wire = () => page.$$eval('#wire > li:first-child > ol > li', rows => rows.map(row => row.dataset.note ?? `${row.dataset.key} ${row.dataset.status}`))
  const crossed = async (...expected) => {
    const seen = await wire()
    let from = 0
    for (const one of expected) {
      const at = seen.indexOf(one, from)
      assert.ok(at >= 0, `${language}: no ${one} after ${from} in ${JSON.stringify(seen)}`)
      from = at + 1
    }
  }
  const shot = async name => { shots += await shoot(page, language, name) }

  // Its language is the browser's.
  await page.goto(address)
  await screen('pick')
  assert.equal(await page.title(), words.title)
  assert.equal(await page.getAttribute('html', 'lang'), language)
  await shot('1-pick')

  // Whom the shop knows is bound at the first login, and stays so.
  await press('person', 'xiaoming')
  await screen('shop')
  await says('.path .user[aria-current]', '1001')
  await crossed('wx_login', 'login 201', 'exchange 200', 'goods 200', 'check_open 200', 'forward 200')

  // Unlinked, with a phone number that the shop doesn't know: a code from the shop's website links the account again. Only the
  // phone that scanned it may use it, and only once the person has seen whose it is.
  await tab('me')
  await press('do', 'unbind')
  await press('go', 'bind')
  await press('way', 'phone')
  await press('do', 'bind-phone')
  await says('.notice', words.number)
  await crossed('get_phone_number', 'bind 422', 'phone_number 200', 'hook_bind 200')
  await shot('2-unknown-number')
  await press('way', 'bind_code')
  await shot('3-website')
  await press('do', 'show-code')
  await is('.code')
  await crossed('bind_code 201')
  await shot('4-code')
  await press('do', 'scan')
  await says('.masked', 'xi***ng')
  await crossed('scanned', 'preview 200')
  await shot('5-whose')
  await press('do', 'turn-down')
  await press('do', 'scan')
  await press('do', 'bind-code')
  await screen('shop')
  await says('.path .user[aria-current]', '1001')
  await crossed('bind 200', 'hook_bind 200', 'opened 200', 'bound', 'goods 200')
  const leave = async () => {
    await page.click('.capsule')
    count('capsule')
    await screen('pick')
  }
  await leave()
  await press('person', person === 'wangfang' ? 'hanmeimei' : 'wangfang')
  await screen('shop')
  await leave()

  // Who is new is a guest, and is led to the page to bind; a rejection is in the shop's own words.
  await press('person', person)
  await says('.lead', words.guest)
  await is('.path .guest[aria-current]')
  await crossed('wx_login', 'login 201', 'exchange 200', 'resolve 200')
  await press('go', 'bind')
  await screen('bind')
  await tab('shop')
  await press('order', 'tea')
  await screen('bind')
  await crossed('order 403', 'check_bound 403', 'bind_first')
  await press('way', 'form')
  await press('fill', 'wrong')
  await press('do', 'bind')
  await says('.notice', words.wrong)
  await crossed('bind 422', 'hook_bind 200')
  await shot('6-rejected')
  await press('fill', 'right')
  await press('do', 'bind')
  await screen('orders')
  await says('.rows', words.tea)
  await crossed('bind 200', 'hook_bind 200', 'opened 200', 'bound', 'order 201', 'orders 200')
  await is('.path .user[aria-current]')
  // The token, and the key.
  assert.deepEqual(await standings(), ['current', 'current'])
  for (const item of ['rice', 'ink']) {
    await tab('shop')
    await press('order', item)
    await screen('orders')
  }
  await page.waitForFunction(() => document.querySelectorAll('.rows li').length === 3)

  // A refresh whose answer is lost is sent again, signed anew; token and key stay.
  const [token] = await tokens()
  await trouble('lose')
  await is('[data-trouble="lose"][aria-pressed="true"]')
  await trouble('refresh')
  await crossed('refresh 200', 'resent', 'refresh 200')
  assert.equal(await page.locator('#wire > li:first-child .cross').count(), 1)
  assert.deepEqual(await tokens(), [token])
  await page.click('#wire > li:first-child summary')
  count('summary')
  await says('.raw', 'authorization: Bearer yp1_')
  await says('.raw', 'signature: yaopai=:')
  await shot('7-lost')

  // A clock that is wrong is set by the server's.
  await trouble('skew')
  await tab('shop')
  await crossed('goods 401', 'check_open 401', 'clock_set', 'goods 200', 'check_open 200')
  await screen('shop')

  // A stolen token alone is worth nothing, and the session goes on.
  await trouble('steal')
  await says('.thief .pill', 'proof_required')
  await shot('8-stolen')
  if (process.env.DOCS) await docs(page, language)
  await trouble('thief_reads')
  await crossed('orders 401', 'check_bound 401')
  await trouble('thief_refreshes')
  await says('.thief .pill', 'proof_required')
  await crossed('refresh 401')

  // A copied request passes once, and nowhere else.
  await tab('orders')
  await trouble('capture')
  await says('.thief .pill', 'proof_replayed')
  await crossed('captured', 'orders 401', 'check_bound 401')
  await trouble('thief_moves')
  await says('.thief .pill', 'proof_invalid')
  await shot('9-captured')
  await trouble('window')
  await trouble('thief_repeats')
  await says('.thief .pill', 'proof_stale')
  await tab('orders')
  await crossed('orders 200')
  await screen('orders')
  await is('.path .user[aria-current]')
  assert.deepEqual(await tokens(), [token])

  // Two devices: each can sign the other out; who is out is told, and has to want to go on.
  await trouble('tablet')
  await tab('me')
  await shot('10-me')
  await press('kick', 'tablet')
  await page.waitForFunction(() => !document.querySelector('[data-kick]'))
  await trouble('kicked')
  await crossed('login 201', 'sessions 200', 'kick 204')
  await is('.path .ended[aria-current]')
  await tab('shop')
  await screen('out')
  await says('.out', words.kicked)
  await crossed('goods 401', 'told')
  await shot('11-kicked')
  await press('do', 'again')
  await screen('shop')

  // Who pays must have been vouched for lately: at first nothing is in the way, later WeChat vouches anew, unseen.
  await tab('shop')
  await press('order', 'tea')
  await press('do', 'pay')
  await crossed('pay 200', 'check_vouched 200', 'forward 200', 'orders 200')
  assert.equal(await page.locator('[data-paid]').count(), 4)
  await tab('shop')
  await press('order', 'ink')
  await trouble('vouched')
  await press('do', 'pay')
  await crossed('pay 401', 'check_vouched 401', 'step_up', 'wx_login', 'step_up 200', 'exchange 200', 'pay 200', 'check_vouched 200')
  await page.waitForFunction(() => document.querySelectorAll('[data-paid]').length === 5)
  assert.deepEqual(await standings(), ['current', 'current'])
  await shot('13-paid')

  // Time: a refresh that is due comes first; what has expired comes back by itself.
  await trouble('refresh_due')
  await tab('orders')
  await crossed('refresh_due', 'refresh 200', 'orders 200')
  for (const how of ['idle', 'absolute']) {
    await trouble(how)
    await is('.path .ended[aria-current]')
    await tab('orders')
    await crossed('silent_login', 'login 201', 'orders 200')
    await screen('orders')
  }

  // Without WeChat there is no new login; the session that runs goes on.
  await trouble('outage')
  await is('[data-trouble="outage"][aria-pressed="true"]')
  await tab('orders')
  await crossed('orders 200')
  await tab('me')
  await press('do', 'logout')
  await screen('out')
  await press('do', 'again')
  await says('.out', words.down)
  await crossed('login 503', 'exchange 502')
  await shot('12-outage')
  await trouble('outage')
  await press('do', 'again')
  await screen('shop')

  await trouble('session_key')
  await crossed('session_key', 'goods 200')
  // What WeChat encrypts with the new key opens once the server has that, too.
  await tab('me')
  await press('do', 'steps')
  await crossed('get_steps', 'decrypt 409', 'key_check 200', 'step_up', 'wx_login', 'step_up 200', 'get_steps', 'decrypt 200')
  await is('[data-steps="8642"]')
  await shot('14-steps')
  await trouble('forge')
  await says('.notice', words.forged)
  await crossed('orders 400', 'check_bound 400')

  // Unlinked, the person is a guest again.
  await tab('me')
  await press('do', 'unbind')
  await says('.lead', words.guest)
  await crossed('unlink 200', 'unbind 204', 'unbound', 'login 201', 'resolve 200')
  await is('.path .guest[aria-current]')
  await page.click('.past summary')

  // The phone number that WeChat has verified links the account again, without a password.
  await press('go', 'bind')
  await press('way', 'phone')
  await shot('15-phone-number')
  await press('do', 'bind-phone')
  await screen('shop')
  await crossed('get_phone_number', 'bind 200', 'phone_number 200', 'hook_bind 200', 'opened 200', 'bound')
  await is('.path .user[aria-current]')

  await press('language', language === 'en' ? 'zh-CN' : 'en')
  assert.notEqual(await page.title(), words.title)
  await press('language', language)
  assert.equal(await page.title(), words.title)
  await page.click('#clear')
  count('clear')
  await page.waitForFunction(() => document.querySelectorAll('#wire li').length === 0)
  for (const view of ['phone', 'session', 'wire']) count(`viewOf:${view}`)
  await leave()

  // The button beside a device is one, whichever device it is.
  const kind = name => (name.startsWith('kick:') ? 'kick' : name)
  const done = new Set([...pressed.keys()].map(kind))
  const never = [...there].filter(name => !done.has(kind(name)))
  assert.deepEqual(never, [], 'buttons that were never pressed')
  await watched.end()
  const presses = [...pressed.values()].reduce((a, b) => a + b, 0)
  return { buttons: there.size, presses, shots }
}

/** The picture for the README. */
async function docs(page, language) {
  await page.screenshot({ path: join(process.env.DOCS, `demo-page.${language}.png`) })
}
