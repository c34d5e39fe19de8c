// The log of the wire: what a press set off, message by message, and why each was sent.

import { clock, h, svg } from '/dom.js'

/** From left to right, as they stand in the drawing. */
const LANES = { phone: 0, tablet: 0, thief: 0, client: 0, proxy: 1, yaopai: 2, wechat: 3, shop: 4 }
/** The distance of two lanes, and of the first one from the edge, in pixels. */
const LANE = 45
const EDGE = 18

/** Those who stand where the phone does, and are not it. */
const OTHERS = { tablet: true, thief: true, client: true }
/** What a client asks of the shop. */
const PROXIED = { goods: true, orders: true, order: true, pay: true, unlink: true, other: true }

const rows = new Map()

/** Forgets all rows. */
export function emptyWire() {
  rows.clear()
  document.getElementById('wire').replaceChildren()
}

/** Draws what is new; answers how many messages were. */
export function drawWire(page, { gone, entries }) {
  const list = document.getElementById('wire')
  for (const [n, row] of rows) {
    if (n > gone) break
    row.remove()
    rows.delete(n)
  }
  // Nobody pressed for these sections, so they are in no row of their own.
  for (const step of list.querySelectorAll('[data-step="elsewhere"]')) {
    if (!step.querySelector('ol').childElementCount) step.remove()
  }
  let news = 0
  for (const entry of entries) {
    if (entry.n <= gone) continue
    const old = rows.get(entry.n)
    // Only exchanges change; the rest may merely come twice, to two who asked at the same time.
    if (old && entry.kind !== 'exchange') continue
    const row = draw(page, entry)
    if (old?.querySelector('details')?.open) row.querySelector('details').open = true
    if (old) old.replaceWith(row)
    // The newest step stands on top; within a step, messages stand in their order.
    else if (entry.kind === 'step' || !list.firstElementChild) list.prepend(entry.kind === 'step' ? row : section(page, row))
    else list.firstElementChild.querySelector('ol').append(row)
    if (!old) news += entry.kind === 'exchange' ? 1 : 0
    rows.set(entry.n, row)
  }
  return news
}

function draw(page, entry) {
  if (entry.kind === 'step') return section(page, undefined, entry)
  return entry.kind === 'note' ? note(page, entry) : exchange(page, entry)
}

/** A press, with room for what follows; what nobody pressed for here comes from a terminal. */
function section({ text }, row, step) {
  const title = step ? text.steps[step.name](step.about, text) : text.steps.elsewhere()
  return h('li', { class: 'step', 'data-step': step?.name ?? 'elsewhere' },
    h('h3', {}, title, step && h('time', {}, clock(step.at))), h('ol', {}, row))
}

function note({ text }, { who, name, about }) {
  return h('li', { class: 'note', 'data-note': name, 'data-who': who },
    h('div', { class: 'lanes', 'aria-hidden': true }, dot(who)),
    h('p', {}, h('strong', {}, text.who[who] ?? who), ' ', text.notes[name]?.(about, text) ?? name))
}

function exchange({ text }, entry) {
  const { from, to, depth, method, target, answer } = entry
  const key = keyOf(entry)
  const summary = h('summary', {},
    h('div', { class: 'lanes', 'aria-hidden': true }, arrow(entry)),
    h('div', { class: 'line' },
      h('p', { class: 'ends' }, h('span', {}, `${text.who[from]} → ${text.who[to]}`), state(text, answer)),
      h('code', {}, from in OTHERS && h('span', { class: 'origin' }, text.who[from]), h('b', {}, method), ' ', target.split('?')[0]),
      h('p', { class: 'why' }, text.why[key] ?? '', text.space, outcome(text, key, entry))))
  const details = h('details', {}, summary)
  // Made when it is looked at: most never are.
  details.addEventListener('toggle', () => {
    if (details.open && !details.querySelector('.raw')) details.append(raw(text, entry))
  })
  const status = answer.status ?? answer.state
  return h('li', { class: 'exchange', 'data-key': key, 'data-status': status, 'data-who': from, 'data-depth': depth }, details)
}

function state(text, answer) {
  if (answer.state === 'awaited') return h('span', { class: 'pill', 'data-class': 'wait' }, '…')
  if (answer.state === 'failed') return h('span', { class: 'pill', 'data-class': 'bad' }, text.wire.failed)
  const code = header(answer.headers, 'yaopai-code')
  const kind = answer.status < 300 ? 'good' : answer.status < 500 ? 'warn' : 'bad'
  return [
    answer.lost && h('span', { class: 'pill', 'data-class': 'bad' }, text.wire.lost),
    h('span', { class: 'pill', 'data-class': kind }, code ? `${answer.status} ${code}` : answer.status),
  ]
}

const header = (headers, name) => headers?.find(([n]) => n === name)?.[1]

/** What kind of message it is. */
function keyOf({ from, to, method, target, body }) {
  const path = target.split('?')[0]
  if (to === 'wechat') return { '/sns/jscode2session': 'exchange', '/cgi-bin/stable_token': 'access_token', '/wxa/business/getuserphonenumber': 'phone_number', '/wxa/checksession': 'key_check' }[path] ?? 'wechat'
  if (from === 'yaopai') return { resolve: 'resolve', bind: 'hook_bind', opened: 'opened' }[body?.type] ?? 'hook'
  if (from === 'shop') return 'bind_code'
  if (from === 'proxy') return to === 'shop' ? 'forward' : target.includes('vouched=') ? 'check_vouched' : target.includes('require=bound') ? 'check_bound' : 'check_open'
  if (to === 'proxy') return { 'GET /goods': 'goods', 'GET /orders': 'orders', 'POST /orders': 'order', 'POST /pay': 'pay', 'POST /unlink': 'unlink' }[`${method} ${path}`] ?? 'other'
  const call = path.replace('/yaopai/v1/', '')
  if (call.startsWith('sessions/')) return 'kick'
  if (call === 'session/refresh' && body?.code) return 'step_up'
  return {
    'POST session': 'login', 'GET session': 'read', 'DELETE session': 'logout', 'POST session/refresh': 'refresh',
    'POST binding': 'bind', 'POST binding/preview': 'preview', 'DELETE binding': 'unbind', 'GET sessions': 'sessions', 'POST decrypt': 'decrypt',
  }[`${method} ${call}`] ?? 'other'
}

/** What came of it, in a sentence. */
function outcome(text, key, { answer }) {
  if (answer.state !== 'came') return ''
  if (answer.lost) return text.outcomes.lost
  const { status, body } = answer
  const code = header(answer.headers, 'yaopai-code')
  // A refusal that the proxy passes on was explained at the check.
  if (code && key in PROXIED) return ''
  if (code) return text.refusals[code] ?? text.refusals.other(code)
  if (key === 'exchange') return status !== 200 ? text.outcomes.gateway : body?.errcode ? text.outcomes.errcode(body.errcode) : text.outcomes.openid
  if (key === 'key_check') return body?.errcode === 0 ? text.outcomes.sameKey : text.outcomes.otherKey
  if (key === 'resolve') return body?.user ? text.outcomes.known(body.user) : text.outcomes.unknown
  if (key === 'hook_bind') return body?.user ? text.outcomes.proved(body.user) : text.outcomes.rejected
  if (['login', 'bind', 'refresh', 'step_up'].includes(key)) return body?.bound ? text.outcomes.bound(body.user) : text.outcomes.unbound
  if (key.startsWith('check_')) {
    const user = header(answer.headers, 'yaopai-user')
    return user ? text.outcomes.user(user) : header(answer.headers, 'yaopai-openid') ? text.outcomes.guest : text.outcomes.nobody
  }
  return ''
}

/** The messages as they were. */
function raw(text, { method, target, headers, body, answer }) {
  const block = (title, first, lines, content) => h('div', {}, h('h4', {}, title),
    h('pre', {}, [first, ...lines.map(([n, v]) => `${n}: ${v}`)].join('\n'), content === null || content === undefined ? '' : `\n\n${typeof content === 'string' ? content : JSON.stringify(content, null, 2)}`))
  return h('div', { class: 'raw' },
    block(text.wire.request, `${method} ${target}`, headers, body),
    answer.state === 'came' && block(text.wire.answer, `HTTP ${answer.status}`, answer.headers, answer.body))
}

const x = who => EDGE + LANE * LANES[who]
const WIDTH = 2 * EDGE + 4 * LANE

function lanes(...children) {
  const lines = [0, 1, 2, 3, 4].map(n => svg('line', { x1: EDGE + LANE * n, x2: EDGE + LANE * n, y1: 0, y2: 28, class: 'lane' }))
  return svg('svg', { viewBox: `0 0 ${WIDTH} 28`, width: WIDTH, height: 28 }, ...lines, ...children)
}

/** The names above the lanes. */
export function drawLegend({ text }) {
  const names = ['phone', 'proxy', 'yaopai', 'wechat', 'shop'].map(who => svg('text', { x: x(who), y: 18 }, text.who[who]))
  document.getElementById('legend').replaceChildren(svg('svg', { width: WIDTH, height: 28 }, ...names))
}

function dot(who) {
  if (!(who in LANES)) return lanes()
  return lanes(svg('circle', { cx: x(who), cy: 14, r: 4, class: 'dot' }))
}

function arrow({ from, to, answer }) {
  const [a, b] = [x(from), x(to)]
  const way = Math.sign(b - a)
  const children = [
    svg('line', { x1: a, x2: b - way * 4, y1: 10, y2: 10, class: 'sent' }),
    svg('path', { d: `M${b - way * 6} 6.5L${b - way} 10l${-way * 5} 3.5z`, class: 'head' }),
  ]
  if (answer.state === 'came') {
    const end = answer.lost ? (a + b) / 2 : a
    children.push(svg('line', { x1: b, x2: end + way * (answer.lost ? 0 : 4), y1: 19, y2: 19, class: 'back' }))
    children.push(answer.lost
      ? svg('path', { d: `M${end - 4} 15l8 8m0-8l-8 8`, class: 'cross' })
      : svg('path', { d: `M${a + way * 6} 15.5L${a + way} 19l${way * 5} 3.5z`, class: 'head back-head' }))
  }
  return lanes(...children)
}
