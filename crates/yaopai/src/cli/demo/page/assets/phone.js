// The phone: first whose it is, then a frame in which the mini program runs. What it sends goes through the demo's WeChat client, and
// not through this page; all that is asked of the frame here is what was tapped, so that the log can say it.

import { button, h } from '/dom.js'

/** Labels beyond this are no buttons'. */
const LABEL_MAX = 24

/** The frame at hand: its page's name, and whether the demo has heard of it. */
let frame
/** How often the mini program was fetched back from another window. */
let fetched = 0

/** What the drawing depends on. A frame that is drawn anew starts the mini program anew. */
export const phoneKey = ({ view: { people, phone } }) => [phone ? [phone.holder, phone.starts, fetched] : people, isElsewhere(phone)]

/** Does the mini program run in another window by now? */
function isElsewhere(phone) {
  if (!phone || !frame) return false
  frame.isKnown ||= phone.page === frame.name
  return frame.isKnown && phone.page !== frame.name && phone.starts === frame.starts
}

/** What stands in the phone's place. */
export function drawPhone(page) {
  const { phone } = page.view
  if (!phone) {
    frame = undefined
    return pick(page)
  }
  return h('div', { class: 'device' }, isElsewhere(phone) ? elsewhere(page) : miniProgram(page))
}

function pick({ text, view, act }) {
  const person = ({ user }) => button([
    h('span', { class: 'face', 'aria-hidden': true }, text.people[user].face),
    h('span', {}, h('strong', {}, text.people[user].name), h('small', {}, text.people[user].about)),
  ], () => act({ do: 'open', user }), { class: 'person', 'data-person': user })
  return h('div', { class: 'device' }, h('div', { class: 'glass pick' },
    h('p', { class: 'seal', lang: 'zh-CN', 'aria-hidden': true }, '店'),
    h('p', { class: 'lead' }, text.phone.pick), (view.people ?? []).map(person)))
}

function miniProgram(page) {
  const { text, view: { phone } } = page
  const name = [...crypto.getRandomValues(new Uint8Array(16))].map(n => n.toString(16).padStart(2, '0')).join('')
  frame = { name, starts: phone.starts, isKnown: false }
  const element = h('iframe', { class: 'glass', title: text.phone.title, src: `/phone/${name}/${text.language}/index.html` })
  element.addEventListener('load', () => {
    // When the framework makes a tap of it, the pointer has just left the glass.
    element.contentDocument.addEventListener('pointerup', ({ target }) => {
      const what = labelOf(target)
      if (!what) return
      // By the line that the app's messages go by, so that it stands before what the tap sets off.
      element.contentWindow.phone.link?.post({ type: 'tap', what })
      page.lively()
    }, true)
  })
  return element
}

/** What a person would call what they tapped; nothing of what they typed. */
function labelOf(target) {
  if (target.closest('input, textarea')) return undefined
  const hit = target.closest('wx-button, button, wx-view[id]')
  if (hit?.matches('.bar-back')) return '‹'
  const label = hit?.innerText.trim().replace(/\s+/g, ' ')
  return label && label.length <= LABEL_MAX ? label : undefined
}

function elsewhere(page) {
  const { text } = page
  const here = () => {
    fetched += 1
    frame = undefined
    page.draw()
  }
  return h('div', { class: 'glass pick' }, h('p', { class: 'lead' }, text.phone.elsewhere), button(text.phone.here, here, { class: 'wide', 'data-do': 'here' }))
}
