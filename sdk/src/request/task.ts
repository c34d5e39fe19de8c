/* eslint-disable @typescript-eslint/no-explicit-any */

/**
 * A task that is there before the platform's: what is called on it is kept, and done on the platform's when that comes, and
 * on each one that follows it (a request may be sent again). `_attach` takes the platform's.
 */
export function proxyTask(names: string) {
  let native: any
  const calls: Array<[string, any[]]> = []
  const task: any = {}
  const run = ([name, args]: [string, any[]]): void => {
    if (native && native[name]) native[name](...args)
  }
  names.split(' ').forEach(name => {
    task[name] = (...args: any[]) => {
      calls.push([name, args])
      run([name, args])
    }
  })
  return {
    _task: task,
    _attach(real: any) {
      native = real
      calls.forEach(run)
    },
    /** What the listeners of this name are told where there is no platform's task that would. */
    _tell: (of: string, what: any): void => calls.forEach(([name, [listener]]) => name === of && listener(what)),
  }
}
