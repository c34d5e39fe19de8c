/* eslint-disable @typescript-eslint/no-explicit-any */

/**
 * Puts our functions in place of the platform's. On some phones `wx.request` is an accessor that swallows an assignment, and
 * with a plugin in the mini program `wx` is frozen: so each step is looked at, and the answer is undefined if it didn't take.
 * Else it is what gives them back.
 */
export function patch(global: any, functions: Record<string, (...args: any[]) => any>): (() => void) | undefined {
  const undo: Array<() => void> = []
  const back = (): void => undo.forEach(one => one())
  for (const name in functions) {
    const ours = functions[name]
    const before = Object.getOwnPropertyDescriptor(global, name)
    try {
      global[name] = ours
    } catch (_) {}
    if (global[name] !== ours) {
      try {
        // Others must be able to patch after us.
        Object.defineProperty(global, name, { value: ours, configurable: true, writable: true, enumerable: true })
      } catch (_) {}
    }
    if (global[name] !== ours) {
      back()
      return undefined
    }
    undo.push(() => {
      // Whoever has patched after us keeps what is theirs; ours behind it goes on passing requests through.
      if (global[name] !== ours) return
      try {
        if (before) Object.defineProperty(global, name, before)
        else delete global[name]
      } catch (_) {}
    })
  }
  return back
}
