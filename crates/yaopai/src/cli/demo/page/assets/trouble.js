// What can be broken, and what to look at when it is.

import { button, h } from '/dom.js'

/** The groups, and what is in each: the press, and when it makes sense. */
const GROUPS = [
  ['network', [[{ do: 'lose' }, 'phone'], [{ do: 'skew' }, 'phone']]],
  ['time', [
    [{ do: 'later', how: 'window' }, 'always'], [{ do: 'later', how: 'vouched' }, 'always'], [{ do: 'later', how: 'refresh' }, 'always'],
    [{ do: 'later', how: 'idle' }, 'always'], [{ do: 'later', how: 'absolute' }, 'always'],
  ]],
  ['devices', [[{ do: 'tablet' }, 'phone'], [{ do: 'kicked' }, 'session']]],
  ['wechat', [[{ do: 'outage' }, 'always'], [{ do: 'session_key' }, 'session']]],
  ['attacker', [[{ do: 'steal' }, 'session'], [{ do: 'capture' }, 'session'], [{ do: 'forge' }, 'session']]],
]

/** What a press is called in the texts. */
const nameOf = press => press.how ?? press.do

/** The panel. */
export function drawTrouble(page) {
  const { text, view } = page
  const can = { always: true, phone: Boolean(view.phone), session: Boolean(view.phone?.logged_in) }
  const on = { lose: view.phone?.lose, skew: view.phone?.slow, outage: view.outage }
  const one = ([press, when]) => {
    const name = nameOf(press)
    const { label, title } = text.trouble.buttons[name]
    return button(on[name] ? text.trouble.buttons[`${name}_on`].label : label, () => page.act(press), {
      class: 'chip',
      title,
      'data-trouble': name,
      'aria-pressed': name in on ? Boolean(on[name]) : undefined,
      disabled: !can[when],
    })
  }
  const group = ([name, presses]) => [h('dt', {}, text.trouble.groups[name]), h('dd', {}, presses.map(one))]
  return h('div', {}, hint(page), thief(page), h('dl', { class: 'troubles' }, GROUPS.map(group)))
}

/** What another machine can try with what it has. */
const TRIES = { token: ['thief_reads', 'thief_refreshes'], request: ['thief_repeats', 'thief_moves'] }

/** Another machine with the phone's token, or with a request of it. */
function thief(page) {
  const { text, view } = page
  if (!view.thief) return undefined
  const { has, status, code } = view.thief
  return h('div', { class: 'thief', 'data-status': status },
    h('strong', {}, text.trouble.thief[has]), ' ',
    h('span', { class: 'pill', 'data-class': status < 400 ? 'good' : 'bad' }, code ? `${status} ${code}` : status),
    h('p', {}, text.trouble.thiefGot[code] ?? text.trouble.thiefGot.other),
    TRIES[has].map(name => button(text.trouble.buttons[name].label, () => page.act({ do: name }), { class: 'chip', 'data-trouble': name })))
}

/** What to do next, so that the trouble is seen. */
function hint({ text, view, pressed }) {
  const { hints } = text.trouble
  const off = { lose: view.phone && !view.phone.lose, skew: view.phone && !view.phone.slow, outage: !view.outage }
  const name = pressed && nameOf(pressed)
  const words = hints[off[name] ? `${name}_off` : name] ?? hints.start
  return h('p', { class: 'hint', role: 'status' }, view.phone ? words : hints.pick)
}
