// The session as it stands: whose it is, what each of its tokens is worth, and how long it lives.

import { clock, h, short, span } from '/dom.js'

/** The card. What runs with the clock is filled in by `tick`. */
export function drawSession(page) {
  const { text, view } = page
  const { session } = view
  if (!session || session.gone) return h('div', {}, h('p', { class: 'quiet-text' }, session ? text.session.gone : text.session.none), h('p', {}, ahead(page)))
  return h('div', {},
    path(text, session),
    h('p', { class: 'sentence' }, sentence(page)),
    h('h3', {}, text.session.tokens),
    h('ul', { class: 'tokens' }, session.tokens.map(token => row(text, session, token)), key(text, session)),
    h('h3', { class: 'clocks' }, text.session.clocks, ahead(page)),
    bar(text.session.fresh, 'fresh'),
    bar(text.session.refresh, 'refresh'),
    bar(text.session.idle, 'idle'),
    bar(text.session.absolute, 'absolute'),
    past(text, view.past))
}

/** Guest → user → ended. */
function path(text, session) {
  const bound = Boolean(session.user)
  const step = (name, label, reached, here) => h('li', { class: name, 'data-reached': reached || undefined, 'aria-current': here ? 'step' : undefined }, label)
  return h('ol', { class: 'path' },
    step('guest', text.session.guest, true, !bound && !session.ended),
    step('user', bound ? text.session.user(session.user) : text.session.someUser, bound, bound && !session.ended),
    step('ended', text.session.end, Boolean(session.ended), Boolean(session.ended)))
}

function sentence({ text, view }) {
  const { session } = view
  if (session.ended) return [h('strong', {}, text.session.reasons[session.ended] ?? session.ended), text.space, view.phone.logged_in ? text.session.unaware : text.session.over]
  return session.user ? text.session.isBound : text.session.isGuest
}

function row(text, session, token) {
  const standing = session.ended && token.standing !== 'unknown' ? 'dead' : token.standing
  return h('li', { 'data-standing': standing },
    h('code', {}, token.token),
    h('span', { class: 'holders' }, token.holders.map(who => h('span', { class: 'holder', 'data-who': who }, text.who[who]))),
    h('span', { class: 'standing' }, text.session.standings[standing]),
    h('small', {}, token.bound === null || session.ended ? '' : token.bound ? text.session.actsAsUser : text.session.actsAsGuest))
}

/** The key is on the phone alone: the page has no more of it than its kind. */
const key = (text, session) => h('li', { 'data-key': session.key, 'data-standing': session.ended ? 'dead' : 'current' },
  h('code', {}, session.key),
  h('span', { class: 'holders' }, h('span', { class: 'holder', 'data-who': 'phone' }, text.who.phone)),
  h('span', { class: 'standing' }, session.ended ? text.session.standings.dead : text.session.key),
  h('small', {}, text.session.keyIs))

const bar = (label, name) => h('div', { class: 'clock', 'data-bar': name },
  h('span', {}, label), h('span', { class: 'track' }, h('span', { class: 'fill' })), h('span', { class: 'left' }))

const ahead = ({ text, view }) => h('span', { class: 'quiet-text now' }, text.session.now, ' ', h('span', { 'data-clock': true }),
  view.ahead > 0 ? ` ${text.session.ahead(span(view.ahead, text.days))}` : '')

function past(text, sessions) {
  if (!sessions?.length) return undefined
  return h('details', { class: 'past' }, h('summary', {}, text.session.past(sessions.length)),
    h('ul', {}, sessions.map(one => h('li', {}, h('code', {}, short(one.id)), ' ', text.session.reasons[one.ended] ?? text.session.open))))
}

/** Fills in what runs with the clock. */
export function tick(page) {
  const { text, view } = page
  const now = page.now()
  for (const element of document.querySelectorAll('[data-clock]')) element.textContent = clock(now)
  const { session } = view
  if (!session || session.gone) return
  const show = (name, until, whole, over = text.session.due) => {
    const element = document.querySelector(`[data-bar="${name}"]`)
    if (!element) return
    const left = session.ended || !until ? 0 : Math.max(0, until - now)
    element.querySelector('.fill').style.width = `${Math.min(100, 100 * left / whole)}%`
    element.querySelector('.left').textContent = session.ended || !until ? '–' : left ? span(left, text.days) : over
  }
  show('fresh', session.fresh_until, session.fresh, text.session.stale)
  show('refresh', session.refresh_at, 20 * 60 * 1000)
  show('idle', session.idle_until, session.idle)
  show('absolute', session.absolute_until, session.absolute)
}
