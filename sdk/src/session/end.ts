import { errorOf } from '../error'
import { login } from './login'
import { drop, emit, type Engine, type State } from './state'

/** The session is over and nobody logs in by itself. `quiet`: the person has done it. */
export function end(e: Engine, state: State | undefined, code: string, quiet?: boolean): void {
  // Another context of this session was quicker, or there is a newer session by now.
  if (state && (!e._state || e._state.token !== state.token)) return
  drop(e, state)
  e._ended = errorOf(e._zh, code, 401)
  if (!quiet) tell(e, code, e._ended)
}

/** Tells the person, once for each session and reason. */
export function tell(e: Engine, code: string, ended?: Error): void {
  if (e._told[code]) return
  e._told[code] = true
  const { message } = errorOf(e._zh, code)
  emit(e, 'end', { code, message })
  if (e._options.onEnd) e._options.onEnd({ code, message })
  else {
    const again = ended && (e._zh ? '重新登录' : 'Log in')
    // Alipay has `confirm` in place of `showModal`, with names of its own, from its documentation; not tried.
    e._native
      ._ask(e._native._get('showModal') ? 'showModal' : 'confirm', {
        title: '',
        content: message,
        showCancel: !!again,
        confirmText: again || undefined,
        confirmButtonText: again || undefined,
      })
      .then(({ confirm }) => {
        if (confirm && again) return login(e, true)
      })
      .catch(() => 0)
  }
}
