// The phone's time. Apps see nothing else: it can be set forward, it can be wrong, and it stands still in the background.

/** As long as an app runs on after it left the screen, in milliseconds. */
export const BACKGROUND = 5000

export class Clock {
  constructor(offset = 0) {
    this.offset = offset
    this.skipped = 0
    this.timers = new Map()
    this.next = 1
    this.frozen = false
    this.waiting = []
  }

  /** Milliseconds that go evenly, however wrong the clock on the wall is. */
  elapsed() {
    return performance.now() + this.skipped
  }

  now() {
    return Math.floor(Date.now() + this.skipped + this.offset)
  }

  /** `own` timers are the phone's: they run in the background too. */
  set(run, delay, { every = false, own = false } = {}) {
    const id = this.next++
    const wait = Math.max(Number(delay) || 0, every ? 4 : 0)
    this.timers.set(id, { id, run, due: this.elapsed() + wait, every: every ? wait : undefined, own })
    this.arm()
    return id
  }

  clear(id) {
    this.timers.delete(id)
  }

  /** Runs it now, or when the app is on the screen again. */
  deliver(run) {
    if (this.frozen) this.waiting.push(run)
    else guard(run)
  }

  freeze() {
    this.frozen = true
  }

  thaw() {
    if (!this.frozen) return
    this.frozen = false
    for (const run of this.waiting.splice(0)) guard(run)
    this.arm()
  }

  /** Lets time pass: each timer fires when it is due, and what it promised is done before the next. */
  async advance(ms) {
    const until = this.elapsed() + ms
    for (;;) {
      const timer = this.first()
      if (!timer || timer.due > until) break
      this.skipped += Math.max(0, timer.due - this.elapsed())
      this.fire(timer)
      await new Promise(done => setTimeout(done))
    }
    this.skipped += Math.max(0, until - this.elapsed())
    this.arm()
  }

  first() {
    let first
    for (const timer of this.timers.values()) {
      if (this.frozen && !timer.own) continue
      if (!first || timer.due < first.due) first = timer
    }
    return first
  }

  arm() {
    clearTimeout(this.armed)
    const timer = this.first()
    if (!timer) return
    this.armed = setTimeout(() => {
      for (let due = this.first(); due && due.due <= this.elapsed(); due = this.first()) this.fire(due)
      this.arm()
    }, Math.min(Math.max(0, timer.due - this.elapsed()), 0x7fffffff))
  }

  fire(timer) {
    if (timer.every === undefined) this.timers.delete(timer.id)
    else timer.due = Math.max(timer.due + timer.every, this.elapsed())
    guard(timer.run)
  }
}

/** One callback that throws doesn't stop the others; the error is seen all the same. */
export function guard(run) {
  try {
    return run()
  } catch (error) {
    reportError(error)
  }
}
