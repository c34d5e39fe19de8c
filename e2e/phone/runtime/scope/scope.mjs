// What an app's scripts can see. Names of the browser's are there for nobody; what a phone has is.

import { makeDate } from './date.mjs'
import { LANGUAGE } from './language.mjs'
import { makePromise } from './promise.mjs'

/** The object whose fields are an app's globals. `given` are wx, App, Page and so on. */
export function makeScope(clock, quirks, given) {
  const world = Object.create(null)
  for (const name of LANGUAGE) if (name in globalThis) world[name] = globalThis[name]
  world.Date = makeDate(clock)
  world.setTimeout = (run, delay, ...args) => clock.set(() => callable(run)(...args), delay)
  world.setInterval = (run, delay, ...args) => clock.set(() => callable(run)(...args), delay, { every: true })
  world.clearTimeout = world.clearInterval = id => clock.clear(id)
  world.console = console
  if (quirks.noBigInt) for (const name of ['BigInt', 'BigInt64Array', 'BigUint64Array']) delete world[name]
  if (quirks.noProxy) delete world.Proxy
  if (quirks.macrotaskPromise) world.Promise = makePromise(clock)
  Object.assign(world, given)
  world.Function = closeFunctions(world)
  world.globalThis = world.global = world
  return { world, scope: only(world) }
}

/** For `with`: every name that the browser knows is answered here, so none of its own is reached. */
function only(world) {
  return new Proxy(world, {
    has: (target, name) => name in target || name in globalThis,
    get: (target, name) => (name === Symbol.unscopables ? undefined : target[name]),
  })
}

/**
 * Text is no program on a phone; only `Function('return this')` is let through, for old libraries, and gives the app's globals.
 * The constructors that every function leads to are closed in the same way. Nothing of ours makes functions of text.
 */
function closeFunctions(world) {
  const refuse = (...args) => {
    if (args.length === 1 && /^\s*return this;?\s*$/.test(String(args[0]))) return () => world
    throw new EvalError('Code generation from strings disallowed for this context')
  }
  const kinds = [() => {}, async () => {}, function* () {}, async function* () {}].map(kind => Object.getPrototypeOf(kind))
  let Closed
  for (const prototype of kinds) {
    const closed = function (...args) { return refuse(...args) }
    closed.prototype = prototype
    Object.defineProperty(prototype, 'constructor', { value: closed, configurable: true })
    Closed ??= closed
  }
  return Closed
}

function callable(run) {
  if (typeof run !== 'function') throw new TypeError('a timer needs a function')
  return run
}
