// Below the phone: what its holder knows and a reader doesn't, an account at the shop; and the shop's website on another screen.

import { button, h, svg } from '/dom.js'

/** How many modules a side of a version 1 QR code has, and a side of its finder patterns (ISO/IEC 18004). */
const SIDE = 21
const FINDER = 7

/** Nothing while nobody has the phone. */
export function drawHolder(page) {
  const { text, view } = page
  if (!view.phone) return h('p', { class: 'aside' }, text.phone.aside, ' ', h('a', { href: '/phone/LICENSES.txt' }, text.phone.licences))
  const { holder } = view.phone
  const { password } = view.people.find(person => person.user === holder)
  const leave = () => {
    // The mini program ends with its frame, before the phone is somebody else's.
    document.querySelector('#phone iframe')?.remove()
    page.act({ do: 'leave' })
  }
  return h('div', { class: 'holder-card' },
    h('p', { class: 'holder-name' }, h('strong', {}, text.phone.of(text.people[holder].name)),
      button(text.phone.leave, leave, { class: 'link', 'data-do': 'leave' })),
    h('dl', { class: 'account' },
      h('dt', {}, text.phone.account), h('dd', {}, h('code', { 'data-account': true }, holder)),
      h('dt', {}, text.phone.password), h('dd', {}, h('code', { 'data-password': true }, password))),
    website(page))
}

function website({ text, view, act }) {
  const { code } = view
  const show = button(code ? text.phone.newCode : text.phone.showCode, () => act({ do: 'show_code' }), { class: 'chip', 'data-do': 'show-code' })
  return h('figure', { class: 'website' },
    h('figcaption', {}, text.phone.website, h('small', {}, code ? text.phone.scanIt : text.phone.signedIn), show),
    code && h('div', { class: 'shown' }, picture(code.picture, text.phone.codeTitle), h('code', { 'data-code': true }, code.text)))
}

/** Looks like a QR code, and says nothing: what the phone scans is the text below it. */
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
