import { nothing } from '../util'
import type { Engine } from './state'

/** The pages that are open, and where among them the bind page is; -1 if it isn't, or there is none. */
function stack(e: Engine) {
  const pages = typeof getCurrentPages === 'function' ? getCurrentPages() : []
  const path = (e._options.bindPage || '').split('?')[0]
  return { pages, at: pages.map(p => '/' + p.route).indexOf(path) }
}

/** Shows the bind page, once for all requests that were sent before it was shown. */
export function notBound(e: Engine, order: number): void {
  const url = e._options.bindPage
  const { pages, at } = stack(e)
  if (!url || e._binding || order <= e._bindShown || at >= 0) return
  const top = pages[pages.length - 1]
  // The stack holds ten pages; then the bind page takes the place of the top one, and that is opened anew afterwards.
  const isFull = pages.length > 9
  const { options = {} } = top || {}
  e._bindFrom = isFull
    ? '/' + top.route + '?' + Object.keys(options).map(key => key + '=' + options[key]).join('&')
    : ''
  e._binding = true
  e
    ._ask(isFull ? 'redirectTo' : 'navigateTo', { url })
    .catch(nothing)
    .then(() => {
      e._binding = false
      e._bindShown = e._sent
    })
}

/** The person is bound: back to where the person was. Nothing, if that is not the bind page. */
export function leaveBindPage(e: Engine): void {
  const { pages, at } = stack(e)
  const url = e._bindFrom
  if (at < 0 || (!url && !at)) return
  e._bindFrom = ''
  e._ask(url ? 'redirectTo' : 'navigateBack', url ? { url } : { delta: pages.length - at }).catch(nothing)
}
