/** `/pages/a/a?x=1` or `../b/b`, seen from the page it is written in: `{ path, query }`. Values stay as they are written. */
export function parseRoute(url, from = '') {
  const [place, search = ''] = String(url).split('?')
  const parts = place.startsWith('/') ? [] : from.split('/').slice(0, -1)
  for (const part of place.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  const query = {}
  for (const pair of search.split('&')) {
    if (pair === '') continue
    const [name, ...rest] = pair.split('=')
    query[name] = rest.join('=')
  }
  return { path: parts.join('/').replace(/\.html$/, ''), query }
}

/** What two pages tell each other: wx.navigateTo's `events`, and getOpenerEventChannel. */
export class EventChannel {
  constructor() {
    this.listeners = new Map()
  }

  on(name, run) {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), run])
  }

  once(name, run) {
    const first = (...args) => { this.off(name, first); run(...args) }
    this.on(name, first)
  }

  off(name, run) {
    this.listeners.set(name, (this.listeners.get(name) ?? []).filter(one => run && one !== run))
  }

  emit(name, ...args) {
    for (const run of [...(this.listeners.get(name) ?? [])]) run(...args)
  }
}
