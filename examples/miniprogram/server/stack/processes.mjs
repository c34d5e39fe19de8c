import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

// Longer than anything takes on a busy machine.
const STARTS_WITHIN = 60_000
const STOPS_WITHIN = 10_000
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** So many ports that are free now. */
export async function freePorts(count) {
  const sockets = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const socket = createServer().once('error', reject).listen(0, '127.0.0.1', () => resolve(socket))
  })))
  const ports = sockets.map(socket => socket.address().port)
  await Promise.all(sockets.map(socket => new Promise(done => socket.close(done))))
  return ports
}

/** The first of these folders' programs of that name; `folders` are looked at beside PATH. */
export function program(name, folders, cure) {
  const all = [...(process.env.PATH ?? '').split(delimiter), ...folders]
  const file = all.map(folder => join(folder, name)).find(existsSync)
  if (!file) throw new Error(`${name} is missing: ${cure}`)
  return file
}

/** Processes that end together. */
export class Processes {
  #running = []

  /** `clean` is done when this program ends with them still running; nothing that has to be waited for gets done then. */
  constructor(clean = () => {}) {
    // Whatever ends this program must not leave them behind. A signal ends it without `exit`, if nobody listens.
    this.kill = () => {
      this.#running.forEach(({ child }) => child.kill('SIGKILL'))
      clean()
    }
    // Ours go first: what others do at `exit` may take so long that a second signal comes.
    this.leave = (signal, number) => {
      process.off('exit', this.kill)
      this.kill()
      process.exit(128 + number)
    }
    process.once('exit', this.kill)
    // Not `once`: without a listener the next signal would end it in the middle of that.
    for (const signal of SIGNALS) process.on(signal, this.leave)
  }

  /** Starts one, and waits until `ready(outputSoFar)` answers anything but undefined: that is answered. */
  async start(name, file, args, options, ready) {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    const one = { name, child, said: '', failed: undefined, exited: new Promise(done => child.once('exit', done)) }
    child.once('error', error => { one.failed = error })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { one.said = (one.said + chunk).slice(-20_000) })
    this.#running.push(one)
    for (const until = Date.now() + STARTS_WITHIN; Date.now() < until; await wait(20)) {
      if (one.failed || child.exitCode !== null || child.signalCode !== null) break
      const found = await ready(one.said)
      if (found !== undefined) return found
    }
    throw new Error(`${name} did not start: ${one.failed?.message ?? one.said}`)
  }

  /** What one has said, for whoever looks for a fault. */
  said(name) {
    return this.#running.find(one => one.name === name)?.said ?? ''
  }

  /** Ends one, or all in the opposite order of their start. */
  async stop(name) {
    for (const one of this.#running.filter(each => !name || each.name === name).reverse()) {
      one.child.kill('SIGTERM')
      const inTime = await Promise.race([one.exited.then(() => true), wait(STOPS_WITHIN, false, { ref: false })])
      if (!inTime && one.child.exitCode === null && one.child.signalCode === null) {
        one.child.kill('SIGKILL')
        await one.exited
      }
      this.#running.splice(this.#running.indexOf(one), 1)
    }
    if (name) return
    process.off('exit', this.kill)
    for (const signal of SIGNALS) process.off(signal, this.leave)
  }
}

/** For `ready`: does anything answer this URL with success? */
export const answers = url => async () => {
  const response = await fetch(url).catch(() => undefined)
  await response?.arrayBuffer()
  return response?.ok ? true : undefined
}
