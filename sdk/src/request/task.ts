/* eslint-disable @typescript-eslint/no-explicit-any */

/**
 * A task that is there before the platform's: what is called on it is kept, and done on the platform's when that comes, and
 * on each one that follows it (a request may be sent again). `_attach` takes the platform's.
 */
export function proxyTask(names: string, isHeld?: (name: string) => boolean) {
  let native: any
  let isOpen = !isHeld
  const calls: Array<[string, any[]]> = []
  const task: any = {}
  const run = (only: (name: string) => boolean) => ([name, args]: [string, any[]]) => {
    if (native && native[name] && only(name)) native[name](...args)
  }
  const now = (name: string): boolean => isOpen || !isHeld!(name)
  names.split(' ').forEach(name => {
    task[name] = (...args: any[]) => {
      calls.push([name, args])
      run(now)([name, args])
    }
  })
  return {
    _task: task,
    _attach(real: any) {
      native = real
      calls.forEach(run(now))
    },
    /** What was held back goes now. */
    _release() {
      isOpen = true
      calls.forEach(run(isHeld!))
    },
  }
}
