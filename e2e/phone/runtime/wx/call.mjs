// The form that nearly all of wx has: options with success, fail and complete, or else a promise.

/** Why a call failed: `name:fail message` is what the app reads. */
export class Failure extends Error {
  constructor(message, errno, fields) {
    super(message)
    Object.assign(this, { errno, fields })
  }
}

/** Makes `wx` functions of plain ones that answer a result or throw a Failure. */
export function maker(clock, promise) {
  return (name, work) => (options = {}) => {
    const finished = (async () => work(options))()
      .then(result => [true, { ...(result ?? {}), errMsg: `${name}:ok` }], error => [false, failed(name, error)])
    if (options && (options.success || options.fail || options.complete)) {
      finished.then(([fine, result]) => clock.deliver(() => answer(options, fine, result)))
      return undefined
    }
    const Promise = promise()
    return new Promise((resolve, reject) => {
      finished.then(([fine, result]) => clock.deliver(() => (fine ? resolve(result) : reject(result))))
    })
  }
}

/** success or fail, and then complete, even if the first throws. */
export function answer(options, fine, result) {
  try {
    (fine ? options.success : options.fail)?.(result)
  } finally {
    options.complete?.(result)
  }
}

/** What an app gets for an error. */
export function failed(name, error) {
  if (error instanceof Failure) return { errMsg: `${name}:fail ${error.message}`.trim(), ...(error.errno === undefined ? {} : { errno: error.errno }), ...error.fields }
  if (error?.reason) return { errMsg: `${name}:fail ${error.reason}`, ...(error.errno === undefined ? {} : { errno: error.errno }) }
  reportError(error)
  return { errMsg: `${name}:fail ${error?.message ?? error}` }
}
