import { attempt, nothing } from '../util'
import type { Engine } from './state'

/** The pages that are open, and where among them the bind page is; -1 if it isn't, or there is none. */
function stack(e: Engine) {
  const pages = attempt(() => getCurrentPages!()) || []
  const path = (e._options.bindPage || '').split('?')[0]
  return { pages, at: pages.map(p => '/' + p.route).indexOf(path) }
}

/** Shows the bind page, once for all requests that were sent before it was shown. */
export function notBound(e: Engine, order: number): void {
  const url = e._options.bindPage
  const { pages, at } = stack(e)
  if (!url || order <= e._bindShown || at >= 0) return
  // The stack holds ten pages; then the bind page takes the place of the top one, and that is opened anew afterwards.
  const top = pages[9]
  const options = (top && top.options) || {}
  e._bindFrom = top && '/' + top.route + '?' + Object.keys(options).map(key => key + '=' + options[key]).join('&')
  e._bindShown = Infinity
  e._ask(top ? 'redirectTo' : 'navigateTo', { url })
    .catch(nothing)
    .then(() => (e._bindShown = e._sent))
}

/** The person is bound: back to where the person was. Nothing, if that is not the bind page. */
export function leaveBindPage(e: Engine): void {
  const { pages, at } = stack(e)
  const url = e._bindFrom
  if (at < 0 || (!url && !at)) return
  e._bindFrom = ''
  e._ask(url ? 'redirectTo' : 'navigateBack', url ? { url } : { delta: pages.length - at }).catch(nothing)
}
