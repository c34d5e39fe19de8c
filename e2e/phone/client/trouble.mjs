// What a network does to a phone.

/** A request without an answer, with what the app reads for it. */
export class NotDone extends Error {
  constructor(reason, errno, answer) {
    super(reason)
    Object.assign(this, { reason, errno, answer })
  }

  static of(code, name, errno) {
    return new NotDone(`errcode:${code} cronet_error_code:${code} error_msg:net::${name}`, errno)
  }

  static lost(answer) {
    return Object.assign(NotDone.of(-324, 'ERR_EMPTY_RESPONSE', 600003), { answer })
  }
}

export class Troubles {
  constructor() {
    this.airplane = false
    this.list = []
  }

  /**
   * The next `times` requests whose `METHOD url` matches: `what` is `lose-answer` (it is done, and nobody hears), `lose-request` (it never
   * arrives), `delay` (by `ms`), `twice` (the network sends it again by itself).
   */
  add({ what, match, ms = 0, times = 1 }) {
    this.list.push({ what, match, ms, left: times })
  }

  offline() {
    return NotDone.of(-106, 'ERR_INTERNET_DISCONNECTED', 600001)
  }

  async around({ method, url }, signal, send) {
    if (this.airplane) throw this.offline()
    const trouble = this.list.find(one => fits(one.match, `${method} ${url}`))
    if (trouble && --trouble.left === 0) this.list.splice(this.list.indexOf(trouble), 1)
    if (trouble?.what === 'lose-request') throw NotDone.lost()
    if (trouble?.what === 'delay') await wait(trouble.ms, signal)
    if (trouble?.what === 'twice') await send()
    const answer = await send()
    if (trouble?.what === 'lose-answer') throw NotDone.lost(answer)
    return answer
  }
}

function fits(match, line) {
  return match === undefined || (match instanceof RegExp ? match.test(line) : line.includes(match))
}

function wait(ms, signal) {
  return new Promise((done, failed) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      failed(new NotDone('abort'))
    }, { once: true })
  })
}
