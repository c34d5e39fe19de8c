// The page to link an account: by the shop's password, by the phone number, or by a code that the shop's website shows.

import { button, h, svg } from '/dom.js'

/** The ways, in the order of their tabs. */
const WAYS = ['form', 'phone', 'bind_code']
/** How many modules a side of a version 1 QR code has, and a side of its finder patterns (ISO/IEC 18004). */
const SIDE = 21
const FINDER = 7

/** Which way is open. */
let way = WAYS[0]

/** The page's content. */
export function bind(page, seen) {
  const { text } = page
  const body = h('div', {})
  const list = h('div', { class: 'ways', role: 'tablist' }, WAYS.map(name =>
    button(text.phone.ways[name], () => show(name), { role: 'tab', 'data-way': name })))
  const show = chosen => {
    way = chosen
    body.replaceChildren(...[{ form, phone: phoneNumber, bind_code: bindCode }[way](page, seen)].flat())
    for (const tab of list.children) tab.setAttribute('aria-selected', tab.dataset.way === way)
  }
  show(way)
  return [h('p', { class: 'lead' }, text.phone.bindLead), list, body]
}

function form(page) {
  const { text, view } = page
  const known = view.people.find(person => person.user === view.phone.holder)
  const account = h('input', { name: 'account', autocomplete: 'off', autocapitalize: 'none', value: known.user })
  const password = h('input', { name: 'password', type: 'password', autocomplete: 'off', required: true })
  const fill = word => () => { account.value = known.user; password.value = word; password.focus() }
  const submit = event => {
    event.preventDefault()
    page.act({ do: 'bind', evidence: { way: 'form', account: account.value, password: password.value } })
  }
  return h('form', { onsubmit: submit },
    h('label', {}, text.phone.account, account),
    h('label', {}, text.phone.password, password),
    h('p', { class: 'fills' },
      button(text.phone.fillRight, fill(known.password), { class: 'link', 'data-fill': 'right' }),
      button(text.phone.fillWrong, fill('0000'), { class: 'link', 'data-fill': 'wrong' })),
    h('button', { class: 'wide', 'data-do': 'bind' }, text.phone.bind))
}

function phoneNumber(page) {
  const { text } = page
  return [
    h('p', { class: 'lead' }, text.phone.phoneLead),
    button(text.phone.allowPhone, () => page.act({ do: 'bind', evidence: { way: 'phone' } }), { class: 'wide', 'data-do': 'bind-phone' }),
  ]
}

/** First the website with its code; once the phone has scanned it, whose account it is. */
function bindCode(page, seen) {
  const { text, view } = page
  if (seen.preview) {
    return [
      h('p', { class: 'lead' }, text.phone.isItYou),
      h('p', { class: 'masked' }, seen.preview.masked),
      button(text.phone.itIsMe, () => page.act({ do: 'bind', evidence: { way: 'bind_code' } }), { class: 'wide', 'data-do': 'bind-code' }),
      h('p', { class: 'other' }, button(text.phone.notMe, () => page.act({ do: 'turn_down' }), { class: 'link', 'data-do': 'turn-down' })),
    ]
  }
  const name = text.people[view.phone.holder].name
  return [
    h('figure', { class: 'website' },
      h('figcaption', {}, text.phone.website, h('small', {}, text.phone.signedIn(name))),
      view.code
        ? picture(view.code.picture, text.phone.codeTitle)
        : button(text.phone.showCode, () => page.act({ do: 'show_code' }), { class: 'small', 'data-do': 'show-code' })),
    button(text.phone.scan, () => page.act({ do: 'scan' }), { class: 'wide', 'data-do': 'scan', disabled: !view.code }),
  ]
}

/** Looks like a QR code, and says nothing: the code itself never comes to this page. */
function picture(seed, title) {
  let state = seed
  // xorshift32 (Marsaglia 2003); it needs a state other than zero.
  const random = () => {
    state = state || 1
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  const corners = [[0, 0], [SIDE - FINDER, 0], [0, SIDE - FINDER]]
  const dark = (x, y) => {
    const corner = corners.find(([a, b]) => x >= a - 1 && x <= a + FINDER && y >= b - 1 && y <= b + FINDER)
    if (!corner) return random() % 2 === 0
    const ring = Math.max(Math.abs(x - corner[0] - 3), Math.abs(y - corner[1] - 3))
    return ring < 2 || ring === 3
  }
  let modules = ''
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) if (dark(x, y)) modules += `M${x} ${y}h1v1h-1z`
  }
  const size = SIDE + 4
  return svg('svg', { viewBox: `-2 -2 ${size} ${size}`, class: 'code', role: 'img', 'aria-label': title, 'shape-rendering': 'crispEdges' },
    svg('rect', { x: -2, y: -2, width: size, height: size, class: 'code-paper' }), svg('path', { d: modules, class: 'code-ink' }))
}
