/** iOS up to 15: `then` is a macrotask. */
export const MACROTASK = `
  Promise = (() => {
    function P(run) {
      const self = this
      self.waiting = []
      const settle = how => value => {
        if (self.how) return
        if (how === 'done' && value && (typeof value === 'object' || typeof value === 'function') && typeof value.then === 'function') {
          self.how = 'adopted'
          return value.then(v => { self.how = 'done'; self.value = v; flush() }, v => { self.how = 'failed'; self.value = v; flush() })
        }
        self.how = how
        self.value = value
        flush()
      }
      const flush = () => { if (self.how !== 'adopted') self.waiting.splice(0).forEach(w => setTimeout(w, 0)) }
      self.flush = flush
      try { run(settle('done'), settle('failed')) } catch (error) { settle('failed')(error) }
    }
    P.prototype.then = function (a, b) {
      return new P((done, failed) => {
        this.waiting.push(() => {
          const call = this.how === 'done' ? a : b
          if (typeof call !== 'function') return this.how === 'done' ? done(this.value) : failed(this.value)
          try { done(call(this.value)) } catch (error) { failed(error) }
        })
        if (this.how) this.flush()
      })
    }
    P.prototype.catch = function (b) { return this.then(undefined, b) }
    P.resolve = value => new P(done => done(value))
    P.reject = value => new P((_, failed) => failed(value))
    P.race = all => new P((done, failed) => all.forEach(one => P.resolve(one).then(done, failed)))
    P.all = all => new P((done, failed) => {
      const values = []
      let open = all.length
      if (!open) done(values)
      all.forEach((one, i) => P.resolve(one).then(value => { values[i] = value; if (!--open) done(values) }, failed))
    })
    return P
  })()`
