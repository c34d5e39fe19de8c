// The phone: the mini program's pages, as a person sees them.

import { bind } from '/bind.js'
import { button, clock, h } from '/dom.js'

/** What stands on the goods' tiles. */
const TILES = { tea: '茶', rice: '米', ink: '墨' }

/** The whole screen. */
export function drawPhone(page) {
  const { text, view } = page
  const { phone } = view
  const screen = phone ? (phone.seen.screen) : 'pick'
  const draw = { pick, shop, orders, me, bind, out }[screen]
  const notice = phone?.seen.notice
  return h('div', { class: 'screen', 'data-screen': screen },
    h('div', { class: 'status' }, h('span', { 'data-clock': true }, clock(page.now())), h('span', {}, phone ? text.people[phone.holder].name : '')),
    h('div', { class: 'bar' },
      h('strong', {}, phone ? text.phone.titles[screen] : text.phone.titles.pick),
      phone && button('×', () => page.act({ do: 'leave' }), { class: 'capsule', title: text.phone.leave, 'aria-label': text.phone.leave })),
    h('div', { class: 'content' },
      notice && screen !== 'out' && h('p', { class: 'notice', role: 'status' }, told(text, notice)),
      draw(page, phone?.seen)),
    phone && tabs(page, screen))
}

/** What a refusal means for the person: the back end's own words where there are any. */
function told(text, notice) {
  const words = notice.message ?? text.notices[notice.code] ?? text.notices.other(notice.code)
  return notice.retry_after && !notice.message ? `${words} ${text.notices.retry(notice.retry_after)}` : words
}

function tabs(page, screen) {
  const { text } = page
  const tab = to => button(text.phone.tabs[to], () => page.act({ do: 'go', to }), {
    'data-tab': to,
    'aria-current': screen === to ? 'page' : undefined,
  })
  return h('div', { class: 'tabs' }, ['shop', 'orders', 'me'].map(tab))
}

function pick(page) {
  const { text, view } = page
  const person = ({ user }) => button([
    h('span', { class: 'face', 'aria-hidden': true }, text.people[user].face),
    h('span', {}, h('strong', {}, text.people[user].name), h('small', {}, text.people[user].about)),
  ], () => page.act({ do: 'open', user }), { class: 'person', 'data-person': user })
  return [h('p', { class: 'lead' }, text.phone.pick), (view.people ?? []).map(person)]
}

function shop(page, seen) {
  const { text } = page
  const item = name => h('li', {},
    h('span', { class: `tile ${name}`, lang: 'zh-CN', 'aria-hidden': true }, TILES[name] ?? '物'),
    h('strong', {}, text.goods[name] ?? name),
    button(text.phone.order, () => page.act({ do: 'order', item: name }), { class: 'small', 'data-order': name }))
  return [
    h('p', { class: 'lead' }, seen.bound ? text.phone.welcome(nameOf(page, seen)) : text.phone.guest),
    h('ul', { class: 'goods' }, (seen.goods ?? []).map(item)),
    !seen.bound && button(text.phone.bindNow, () => page.act({ do: 'go', to: 'bind' }), { class: 'wide', 'data-go': 'bind' }),
  ]
}

function orders(page, seen) {
  const { text } = page
  const list = seen.orders ?? []
  if (!list.length) return h('p', { class: 'lead empty' }, text.phone.noOrders)
  const open = list.length - seen.paid
  return [
    h('ul', { class: 'rows' }, list.map((name, n) => h('li', { 'data-paid': n < seen.paid },
      h('span', {}, text.goods[name] ?? name), h('small', {}, text.phone.orderNumber(n + 1), n < seen.paid && h('span', { class: 'paid' }, text.phone.paid))))),
    open > 0 && button(text.phone.pay(open), () => page.act({ do: 'pay' }), { class: 'wide', 'data-do': 'pay' }),
  ]
}

function me(page, seen) {
  const { text } = page
  const devices = (seen.devices ?? []).map(device => h('li', {},
    h('span', {}, text.phone.devices[device.device.type] ?? device.device.type,
      device.current && h('small', {}, text.phone.thisDevice)),
    !device.current && button(text.phone.kick, () => page.act({ do: 'kick', session_id: device.session_id }), { class: 'small', 'data-kick': device.device.type })))
  return [
    h('div', { class: 'who' },
      h('span', { class: 'face', 'aria-hidden': true }, text.people[page.view.phone.holder].face),
      h('span', {}, h('strong', {}, seen.bound ? nameOf(page, seen) : text.phone.visitor),
        h('small', {}, seen.bound ? text.phone.userNumber(seen.user) : text.phone.unbound))),
    h('ul', { class: 'rows steps' }, h('li', {}, h('span', {}, text.phone.steps),
      seen.steps === null
        ? button(text.phone.showSteps, () => page.act({ do: 'steps' }), { class: 'small', 'data-do': 'steps' })
        : h('strong', { 'data-steps': seen.steps }, text.phone.stepsToday(seen.steps)))),
    h('h3', {}, text.phone.deviceList),
    h('ul', { class: 'rows' }, devices),
    h('div', { class: 'stack' },
      seen.bound
        ? button(text.phone.unbind, () => page.act({ do: 'unbind' }), { 'data-do': 'unbind' })
        : button(text.phone.bindNow, () => page.act({ do: 'go', to: 'bind' }), { 'data-go': 'bind' }),
      button(text.phone.logout, () => page.act({ do: 'logout' }), { 'data-do': 'logout' })),
  ]
}

function out(page, seen) {
  const { text } = page
  const words = seen.notice ? told(text, seen.notice) : text.phone.loggedOut
  return h('div', { class: 'out' }, h('p', { role: 'status' }, words),
    button(text.phone.again, () => page.act({ do: 'again' }), { class: 'wide', 'data-do': 'again' }))
}

const nameOf = (page, seen) => (page.text.language === 'en' ? page.text.people[page.view.phone.holder].name : seen.name ?? seen.user)
