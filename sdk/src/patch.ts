/* eslint-disable @typescript-eslint/no-explicit-any */
import { attempt } from './util'

/**
 * Puts our functions in place of the platform's. On some phones `wx.request` is an accessor that swallows an assignment, and
 * with a plugin in the mini program `wx` is frozen: so each step is looked at, and the answer is undefined if it didn't take.
 * Else it is what gives them back.
 */
export function patch(global: any, functions: Record<string, (...args: any[]) => any>): (() => void) | undefined {
  const undo: Array<() => void> = []
  const back = (): void => undo.forEach(one => one())
  for (const name in functions) {
    const value = functions[name]
    const before = Object.getOwnPropertyDescriptor(global, name)
    const define = (as: PropertyDescriptor): unknown => attempt(() => Object.defineProperty(global, name, as))
    attempt(() => (global[name] = value))
    // Others must be able to patch after us.
    if (global[name] !== value) define({ value, configurable: true, writable: true, enumerable: true })
    if (global[name] !== value) return void back()
    undo.push(() => {
      // Whoever has patched after us keeps what is theirs.
      if (global[name] !== value) return
      if (before) define(before)
      else attempt(() => delete global[name])
    })
  }
  return back
}
