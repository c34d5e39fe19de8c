export const sleep = (ms: number): Promise<void> => new Promise(done => setTimeout(done, ms))

export const nothing = (): void => {}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export const merge = (...parts: any[]): any => Object.assign({}, ...parts)

/** What `call` answers; nothing, if it throws. */
export function attempt<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (_) {}
}

/** Milliseconds between a time of the phone's clock and now, either way: a clock may have been set back. */
export const apart = (time: number): number => Math.abs(Date.now() - time)
