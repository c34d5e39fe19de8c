// The scripts of an app, each as a function in strict mode, as the vendor's tool makes them.

import { posix } from 'node:path'
import esbuild from 'esbuild'
import { BuildError, fromEsbuild, position } from './error.mjs'

const REQUIRE = /\brequire\(\s*(["'])([^"'\n]+)\1\s*\)/g
const TAILS = ['', '.js', '.ts', '/index.js', '/index.ts']

/** The text of an object: path to function. `entries` are paths without an ending; what they require comes along. */
export function buildScripts(source, entries) {
  const done = new Map()
  const todo = entries.map(entry => (source.has(`${entry}.ts`) && !source.has(`${entry}.js`) ? `${entry}.ts` : `${entry}.js`))
  while (todo.length > 0) {
    const path = todo.pop()
    if (done.has(path)) continue
    const text = source.text(path)
    const code = compile(path, text)
    const needs = {}
    for (const [, , name] of code.matchAll(REQUIRE)) {
      const found = resolve(source, path, name)
      if (found === undefined) throw new BuildError(path, ...position(text, text.indexOf(name)), `cannot find the module ${name}`)
      needs[name] = found
      todo.push(found)
    }
    done.set(path, `${JSON.stringify(path)}: [${JSON.stringify(needs)}, function (require, module, exports) {${code}}]`)
  }
  return `{\n${[...done.values()].join(',\n')}\n}`
}

function compile(path, text) {
  try {
    // Below es2017 `async` is made of the Promise in scope, which is what an app has on a phone that brings its own.
    return esbuild.transformSync(`'use strict';${text}`, {
      loader: path.endsWith('.ts') ? 'ts' : 'js', format: 'cjs', target: 'es2016', supported: { bigint: true },
      sourcefile: path, charset: 'utf8', logLevel: 'silent', legalComments: 'none',
    }).code
  } catch (error) {
    throw fromEsbuild(path, error)
  }
}

function resolve(source, from, name) {
  if (/^[./]/.test(name)) {
    const path = source.join(from, name)
    return TAILS.map(tail => path + tail).find(candidate => /\.[jt]s$/.test(candidate) && source.has(candidate))
  }
  return source.inPackages(from, name, ['/index.js', '.js', '']) ?? fallback(source, from, name)
}

/** `require('utils/a.js')` without `./`: old apps have it, and old tools took it. */
function fallback(source, from, name) {
  const path = posix.join(posix.dirname(from), name)
  return TAILS.map(tail => path + tail).find(candidate => /\.[jt]s$/.test(candidate) && source.has(candidate))
}
