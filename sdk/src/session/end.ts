import { errorOf, type YaopaiError } from '../error'
import { nothing } from '../util'
import { login } from './login'
import { clearJar, drop, emit, type Engine, type State } from './state'

/** The session is over and nobody logs in by itself. `isQuiet`: the person has done it, perhaps without one. */
export function end(e: Engine, state: State | void, code: string, isQuiet?: boolean): void {
  // Another request of this session was quicker, or there is a newer session by now.
  if (state && !drop(e, state)) return
  clearJar(e)
  e._ended = errorOf(e, code, 401)
  if (!isQuiet) tell(e, e._ended)
}

/** Tells the person, once for each session and reason. */
export function tell(e: Engine, { code, message }: YaopaiError): void {
  if (e._told[code]) return
  e._told[code] = 1
  emit(e, 'end', { code, message })
  if (e._options.onEnd) return
  const zh = e._zh
  const isOver = e._ended
  // WeChat's buttons hold four characters at most.
  const yes = zh ? (isOver ? '重新登录' : '好') : 'OK'
  // Alipay has `confirm` in place of `showModal`, with names of its own, from its documentation; not tried.
  e
    ._ask(e._had.showModal ? 'showModal' : 'confirm', {
      title: '',
      content: message + (isOver && !zh ? '. Log in again?' : ''),
      showCancel: !!isOver,
      confirmText: yes,
      cancelText: zh ? '取消' : 'No',
      confirmButtonText: yes,
    })
    .then(({ confirm }) => confirm && isOver && login(e, true))
    .catch(nothing)
}
