/* eslint-disable @typescript-eslint/no-explicit-any */

/**
 * A task that is there before the platform's: what is called on it is kept, and done on the platform's when that comes, and
 * on each one that follows it (a request may be sent again). `attach` takes the platform's.
 */
export function proxyTask(names: string, held?: (name: string) => boolean): { _task: any; _attach(task: any): void; _release(): void } {
  const calls: Array<[string, any[]]> = []
  const task: any = {}
  let native: any
  let open = !held
  const run = ([name, args]: [string, any[]]): void => {
    if (native[name]) native[name](...args)
  }
  names.split(' ').forEach(
    name =>
      (task[name] = (...args: any[]) => {
        calls.push([name, args])
        if (native && (open || !held!(name))) run([name, args])
      }),
  )
  return {
    _task: task,
    _attach(real) {
      native = real
      calls.filter(([name]) => open || !held!(name)).forEach(run)
    },
    /** What was held back goes now. */
    _release() {
      if (!open) {
        open = true
        calls.filter(([name]) => held!(name)).forEach(run)
      }
    },
  }
}
