// The page around the phone: asks the demo what there is to see, draws it, and passes presses on. It decides nothing by itself, and
// is shown of a token its two ends only; a whole one is in the mini program's frame, as it is on a phone.

import { drawHolder } from '/holder.js'
import { drawPhone, phoneKey } from '/phone.js'
import { drawSession, tick } from '/session.js'
import { drawTrouble } from '/trouble.js'
import { drawLegend, drawWire, emptyWire } from '/wire.js'
import en from '/text.en.js'
import zh from '/text.zh.js'

const TEXTS = { en, 'zh-CN': zh }
/** How often the demo is asked, in milliseconds: in general, and while something is likely to be under way. */
const CALM = 1000
const BUSY = 250
/** For how long after a tap that is, in milliseconds. */
const LIVELY = 3000

const page = {
  text: TEXTS[document.documentElement.lang] ?? en,
  revision: 0,
  view: {},
  /** The demo's clock minus the page's, in milliseconds. */
  offset: 0,
  busy: false,
  /** What was pressed last. */
  pressed: undefined,
  now: () => Date.now() + page.offset,
  act,
  lively,
  draw,
}

let drawn = {}
let unseen = 0
let livelyUntil = 0
/** When the answer that is drawn was made, by the demo's clock: answers can overtake each other, and an older one is dropped. */
let made = 0

async function ask(path, options) {
  const response = await fetch(`${path}?since=${page.revision}`, options)
  if (!response.ok) throw new Error(await response.text())
  const state = await response.json()
  if (state.now < made) return
  made = state.now
  page.offset = state.now - Date.now()
  page.revision = state.revision
  page.view = state.view ?? {}
  unseen += drawWire(page, state)
  draw()
}

/** Passes a press on. One at a time: until it is done, nothing else can be pressed. */
async function act(what) {
  if (page.busy) return
  page.busy = true
  page.pressed = { do: what.do, how: what.how }
  document.body.classList.add('busy')
  try {
    const body = JSON.stringify(what)
    await ask('/act', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    broken(false)
  } catch {
    broken(true)
  } finally {
    page.busy = false
    document.body.classList.remove('busy')
    draw()
  }
}

/** Something is about to happen. */
function lively() {
  livelyUntil = Date.now() + LIVELY
}

function broken(is) {
  document.getElementById('broken').hidden = !is
}

/** Draws what has changed. */
function draw() {
  const { view } = page
  const parts = {
    phone: [drawPhone, phoneKey(page)],
    holder: [drawHolder, [view.phone?.holder, view.people, view.code]],
    session: [drawSession, [view.session, view.past, view.phone?.logged_in, view.ahead]],
    trouble: [drawTrouble, [view.phone?.lose, view.phone?.slow, view.phone?.logged_in, !view.phone, view.outage, view.thief, page.pressed]],
  }
  for (const [id, [drawPart, of]] of Object.entries(parts)) {
    const now = JSON.stringify([of, page.text.language])
    if (drawn[id] === now) continue
    drawn[id] = now
    document.getElementById(id).replaceChildren(drawPart(page))
  }
  tick(page)
  if (seesWire()) unseen = 0
  const news = document.getElementById('news')
  news.hidden = unseen === 0
  news.textContent = unseen
}

const seesWire = () => document.body.dataset.view === 'wire' || !matchMedia('(max-width: 719px)').matches

function say() {
  document.documentElement.lang = page.text.language
  document.title = page.text.name
  drawLegend(page)
  for (const element of document.querySelectorAll('[data-text]')) {
    element.textContent = element.dataset.text.split('.').reduce((text, key) => text[key], page.text)
  }
  for (const element of document.querySelectorAll('[data-language]')) {
    element.setAttribute('aria-pressed', element.dataset.language === page.text.language)
  }
}

function speak(language) {
  page.text = TEXTS[language]
  const url = new URL(location.href)
  url.searchParams.set('lang', language)
  history.replaceState(null, '', url)
  emptyWire()
  page.revision = 0
  say()
  draw()
  return ask('/state').catch(() => broken(true))
}

function look(view) {
  document.body.dataset.view = view
  for (const element of document.querySelectorAll('[data-view-of]')) {
    element.setAttribute('aria-pressed', element.dataset.viewOf === view)
  }
  draw()
}

async function watch() {
  for (;;) {
    if (!document.hidden) await ask('/state').then(() => page.busy || broken(false)).catch(() => broken(true))
    await new Promise(done => setTimeout(done, page.busy || Date.now() < livelyUntil ? BUSY : CALM))
  }
}

for (const element of document.querySelectorAll('[data-language]')) {
  element.addEventListener('click', () => speak(element.dataset.language))
}
for (const element of document.querySelectorAll('[data-view-of]')) {
  element.addEventListener('click', () => look(element.dataset.viewOf))
}
document.getElementById('clear').addEventListener('click', () => act({ do: 'clear' }))
say()
look('phone')
watch()
setInterval(() => tick(page), 500)
