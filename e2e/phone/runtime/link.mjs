// The line to the WeChat client: messages there in batches, events back by long polling. README.md has the protocol.

const PAUSE = 300

export class Link {
  constructor(base) {
    this.base = base
    this.last = 0
    this.next = 1
    this.queue = []
    this.calls = new Map()
    this.listeners = new Map()
    this.idle = Promise.resolve()
  }

  /** What the phone is: once, at the start. */
  async hello() {
    const answer = await fetch(`${this.base}hello`, { cache: 'no-store' })
    if (!answer.ok) throw new Error(`the WeChat client answered ${answer.status}`)
    const hello = await answer.json()
    this.last = hello.last ?? 0
    this.listen()
    return hello
  }

  /** A call that is answered: the result, or an error with `reason` and `errno`. `listener` gets its events on the way. */
  call(type, args = {}, listener) {
    const id = this.next++
    const answered = new Promise((resolve, reject) => this.calls.set(id, { resolve, reject, listener }))
    this.post({ ...args, id, type })
    return Object.assign(answered, { id })
  }

  /** One that isn't. */
  post(message) {
    this.queue.push(message)
    if (this.queue.length === 1) this.idle = this.idle.then(() => this.flush())
  }

  on(event, listener) {
    this.listeners.set(event, listener)
  }

  /** All of the queue at once, and the next only after it: what is posted first arrives first. */
  async flush() {
    const batch = this.queue.splice(0)
    for (;;) {
      try {
        const answer = await fetch(`${this.base}calls`, { method: 'POST', body: JSON.stringify(batch) })
        if (answer.ok) return
        console.error(`the WeChat client answered ${answer.status}: ${await answer.text()}`)
        return
      } catch {
        await pause()
      }
    }
  }

  async listen() {
    for (;;) {
      try {
        const answer = await fetch(`${this.base}events?after=${this.last}`, { cache: 'no-store' })
        if (!answer.ok) throw new Error(String(answer.status))
        const { last, events } = await answer.json()
        for (const event of events) this.take(event)
        this.last = last
      } catch {
        await pause()
      }
    }
  }

  take({ id, type, ...rest }) {
    if (id === undefined) return this.listeners.get(type)?.(rest)
    const call = this.calls.get(id)
    if (!call) return
    if (type !== 'result' && type !== 'failure') return call.listener?.(type, rest)
    this.calls.delete(id)
    if (type === 'result') call.resolve(rest.result)
    else call.reject(Object.assign(new Error(rest.reason), rest))
  }
}

function pause() {
  return new Promise(done => setTimeout(done, PAUSE))
}
