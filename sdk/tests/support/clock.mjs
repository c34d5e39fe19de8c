// A clock that only a test moves, and the timers that hang on it.
export class Clock {
  constructor(start = Date.UTC(2026, 10, 1)) {
    this.time = start
    this.timers = []
    this.count = 0
  }

  setTimeout = (call, ms = 0) => {
    const id = ++this.count
    this.timers.push({ id, at: this.time + Math.max(0, +ms || 0), call })
    return id
  }

  clearTimeout = id => {
    this.timers = this.timers.filter(t => t.id !== id)
  }

  /** Lets promises go on until there is nothing left for them to do. */
  async idle() {
    for (let i = 0; i < 4; i++) await new Promise(done => setImmediate(done))
  }

  next() {
    return this.timers.reduce((a, b) => (!a || b.at < a.at ? b : a), undefined)
  }

  fire(timer) {
    this.timers.splice(this.timers.indexOf(timer), 1)
    this.time = Math.max(this.time, timer.at)
    timer.call()
  }

  async advance(ms) {
    const end = this.time + ms
    for (;;) {
      await this.idle()
      const timer = this.next()
      if (!timer || timer.at > end) break
      this.fire(timer)
    }
    this.time = end
    await this.idle()
  }

  /** Goes on until the promise is settled, or nothing more can happen. */
  async until(promise) {
    let over = false
    const mark = () => (over = true)
    promise.then(mark, mark)
    for (let quiet = 0; !over; ) {
      await this.idle()
      if (over) break
      const timer = this.next()
      if (timer) {
        // All that are due at once, so that a thousand requests don't take a thousand turns.
        const at = timer.at
        let due
        while ((due = this.next()) && due.at <= at) this.fire(due)
        quiet = 0
      } else if (++quiet > 50) throw new Error('nothing more will happen, and the promise is still open')
    }
    return promise
  }
}
