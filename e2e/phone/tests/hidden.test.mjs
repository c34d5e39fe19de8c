// What a browser has and a phone doesn't is not there for an app, by any of the usual ways.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ground, PROBE } from './ground.mjs'

const here = ground()

test('no global of the browser\'s is there', async () => {
  const phone = await here.start(PROBE)
  const globals = await phone.evaluate(({ app }) => app.globals())
  assert.ok(Object.keys(globals).length > 50)
  assert.deepEqual(Object.entries(globals).filter(([, type]) => type !== 'undefined'), [])
})

test('nor any that nobody thought of: all names of the window but the language\'s own', async () => {
  const phone = await here.start(PROBE)
  const [hidden, seen] = await phone.evaluate(({ phone: inside }) => {
    const all = []
    for (let at = window; at; at = Object.getPrototypeOf(at)) all.push(...Object.getOwnPropertyNames(at))
    return [all.length, all.filter(name => inside.world[name] !== undefined)]
  })
  assert.ok(hidden > 900, String(hidden))
  const ours = ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'console', 'globalThis', 'Function']
  const language = await phone.evaluate(() => Object.getOwnPropertyNames(globalThis).filter(name => ['Object', 'Array', 'Promise', 'JSON'].includes(name)))
  assert.equal(language.length, 4)
  assert.deepEqual(seen.filter(name => !ours.includes(name) && !/^([A-Z]\w*(Array|Error|Map|Set|View)?|is(NaN|Finite)|parse(Int|Float)|(en|de)codeURI(Component)?|(un)?escape|undefined)$/.test(name)), [])
  assert.deepEqual(seen.filter(name => /^(HTML|URL|Text|Web|Node|Element|Event|Blob|File|Request|Response|Headers|Crypto|Window|Document|Worker|Abort)/.test(name)), [])
})

test('the way around by `this`, by text as code, by constructors, leads nowhere', async () => {
  const phone = await here.start(PROBE)
  const reached = await phone.evaluate(({ app }) => app.reached())
  assert.deepEqual(Object.entries(reached).filter(([, found]) => found === 'reached'), [])
  // The one text that phones let through gives the app's own globals.
  for (const way of ['Function', 'newFunction', 'constructor', 'globalThis']) assert.equal(reached[way], 'hidden', way)
  for (const way of ['text', 'textByConstructor', 'generator', 'console']) assert.equal(reached[way], 'EvalError', way)
})
