// Promises as iOS 15 and older have them in a mini program: made of timers, so `then` comes after everything that is due now.

/** `Promise` by the timers of a clock. */
export function makePromise(clock) {
  return class Promise extends MacrotaskPromise {
    static later(run) {
      clock.set(run, 0)
    }
  }
}

class MacrotaskPromise {
  constructor(executor) {
    if (typeof executor !== 'function') throw new TypeError('a promise needs a function')
    this._state = 'pending'
    this._waiting = []
    const settle = once(this)
    try {
      executor(settle('fulfilled'), settle('rejected'))
    } catch (error) {
      settle('rejected')(error)
    }
  }

  then(fulfilled, rejected) {
    return new this.constructor((resolve, reject) => {
      react(this, () => {
        const [handler, other] = this._state === 'fulfilled' ? [fulfilled, resolve] : [rejected, reject]
        if (typeof handler !== 'function') return other(this._value)
        try {
          resolve(handler(this._value))
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  catch(rejected) {
    return this.then(undefined, rejected)
  }

  finally(run) {
    const of = this.constructor
    return this.then(value => of.resolve(run()).then(() => value), error => of.resolve(run()).then(() => { throw error }))
  }

  static resolve(value) {
    return value instanceof this ? value : new this(resolve => resolve(value))
  }

  static reject(error) {
    return new this((_, reject) => reject(error))
  }

  static all(list) {
    return collect(this, list, (item, index, results, finish, reject) => item.then(value => { results[index] = value; finish() }, reject))
  }

  static allSettled(list) {
    return collect(this, list, (item, index, results, finish) => item.then(
      value => { results[index] = { status: 'fulfilled', value }; finish() },
      reason => { results[index] = { status: 'rejected', reason }; finish() },
    ))
  }

  static race(list) {
    return new this((resolve, reject) => { for (const item of list) this.resolve(item).then(resolve, reject) })
  }
}

function once(promise) {
  let done = false
  return state => value => {
    if (done) return
    done = true
    if (state === 'fulfilled' && value !== null && (typeof value === 'object' || typeof value === 'function')) return follow(promise, value)
    settled(promise, state, value)
  }
}

function follow(promise, value) {
  const settle = once(promise)
  try {
    const { then } = value
    if (typeof then !== 'function') return settled(promise, 'fulfilled', value)
    promise.constructor.later(() => {
      try {
        then.call(value, settle('fulfilled'), settle('rejected'))
      } catch (error) {
        settle('rejected')(error)
      }
    })
  } catch (error) {
    settled(promise, 'rejected', error)
  }
}

function settled(promise, state, value) {
  Object.assign(promise, { _state: state, _value: value })
  for (const run of promise._waiting.splice(0)) promise.constructor.later(run)
}

function react(promise, run) {
  if (promise._state === 'pending') promise._waiting.push(run)
  else promise.constructor.later(run)
}

function collect(Of, list, each) {
  return new Of((resolve, reject) => {
    const items = Array.from(list)
    const results = []
    let left = items.length
    const finish = () => { if (--left === 0) resolve(results) }
    if (left === 0) resolve(results)
    items.forEach((item, index) => each(Of.resolve(item), index, results, finish, reject))
  })
}
