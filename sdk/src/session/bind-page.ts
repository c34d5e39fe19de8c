import type { Engine } from './state'

const stack = () => (typeof getCurrentPages === 'function' ? getCurrentPages() : [])

/** Shows the bind page, once for all requests that were sent before it was shown. */
export function notBound(e: Engine, sent: number, isBackground: string): void {
  const page = e._options.bindPage
  const bind = e._bind
  const pages = stack()
  if (!page || isBackground || bind.going || sent <= bind.since || pages.some(p => '/' + p.route === page.split('?')[0])) return
  const top = pages[pages.length - 1]
  bind.going = true
  bind.depth = pages.length
  // The stack holds ten pages; then the bind page takes the place of the top one, and that is opened anew afterwards.
  const isFull = pages.length > 9
  const from = top && '/' + top.route + '?' + Object.keys(top.options || {}).map(key => key + '=' + top.options![key]).join('&')
  bind.from = isFull ? from : ''
  const over = (): void => {
    bind.going = false
    bind.since = Date.now()
  }
  e._native._ask(isFull ? 'redirectTo' : 'navigateTo', { url: page }).then(over, over)
}

/** The person is bound: back to where the person was. */
export function leaveBindPage(e: Engine): void {
  const bind = e._bind
  const pages = stack()
  const page = (e._options.bindPage || '').split('?')[0]
  const at = pages.map(p => '/' + p.route).indexOf(page)
  // Not at the bind page: the person was there by another way, or has left.
  if (!page || at < 0) return
  if (bind.from) e._native._ask('redirectTo', { url: bind.from }).catch(() => 0)
  else if (at) e._native._ask('navigateBack', { delta: pages.length - at }).catch(() => 0)
  bind.from = ''
}
