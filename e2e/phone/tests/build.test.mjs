// What is wrong with an app is said with file and line.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { buildApp } from '../build/build.mjs'
import { buildStyle, lengths } from '../build/styles.mjs'
import { withColons } from '../build/templates.mjs'

const APP = { 'app.json': '{ "pages": ["a/a"] }', 'app.js': 'App({})', 'a/a.js': 'Page({})', 'a/a.wxml': '<view/>' }

/** Builds an app of these files; the text of app.js, or of the error. */
function build(files, options) {
  const folder = mkdtempSync(join(tmpdir(), 'phone-build-'))
  try {
    for (const [name, text] of Object.entries({ ...APP, ...files })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    return buildApp(folder, options).get('app.js')
  } catch (error) {
    if (error.name !== 'BuildError') throw error
    return error.message
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('mistakes are found where they are', () => {
  const mistakes = {
    'app.json:2:1: ': { 'app.json': '{ "pages": ["a/a"],\n}' },
    'a/a.js:2:9: Unexpected "}"': { 'a/a.js': 'Page({\n  data: }\n' },
    "a/a.js:2:10: cannot find the module ./none": { 'a/a.js': "'x'\nrequire('./none')\nPage({})" },
    'a/a.wxml:2:16: unexpected character inside expression': { 'a/a.wxml': '<view>\n  <text>{{ a + }}</text>\n</view>' },
    'a/a.wxml:2:3: missing end tag': { 'a/a.wxml': '<view>\n  <text>\n</view>' },
    'a/a.wxml:1:14: no such template: a/none.wxml': { 'a/a.wxml': '<import src="none.wxml"/>' },
    'a/a.wxss:2:4: a { without its }': { 'a/a.wxss': '.x { color: red }\n.y { color: blue' },
    'a/a.wxss:1:1: no such style sheet: ./none.wxss': { 'a/a.wxss': '@import "./none.wxss";' },
    'a/a.json:1:28: no such component: ./none': { 'a/a.json': '{ "usingComponents": { "x": "./none" } }' },
    'app.json:1:16: b/b.js: no such file': { 'app.json': '{ "pages": ["b/b"] }' },
  }
  for (const [expected, files] of Object.entries(mistakes)) {
    const said = build(files)
    assert.ok(said.startsWith(expected), `expected ${expected}\ngot      ${said.slice(0, 200)}`)
  }
  assert.throws(() => buildApp('/nowhere'), /app\.json: no such file: is this the folder of a mini program\?/)
})

test('packages: the folder made for mini programs, or all of main in one file; and none that isn\'t there', () => {
  const made = { 'node_modules/made/package.json': '{ "miniprogram": "dist" }', 'node_modules/made/dist/index.js': 'module.exports = "made for it"', 'node_modules/made/dist/part.js': 'module.exports = "a part"' }
  const main = { 'node_modules/plain/package.json': '{ "main": "lib.js" }', 'node_modules/plain/lib.js': 'module.exports = require("./other")', 'node_modules/plain/other.js': 'module.exports = "the other file"' }
  const built = build({ ...made, ...main, 'a/a.js': "require('made'); require('made/part'); require('plain'); Page({})" })
  for (const text of ['made for it', 'a part', 'the other file', 'miniprogram_npm/made/part.js']) assert.ok(built.includes(text), text)
  assert.match(build({ 'a/a.js': "require('none')" }), /^a\/a\.js:1:10: cannot find the module none/)
  assert.ok(build({ 'miniprogram_npm/own/index.js': 'module.exports = "was built"', 'a/a.js': "require('own')" }).includes('was built'))
})

test('components of packages and of the whole app, subpackages, TypeScript, ES modules', () => {
  const built = build({
    'app.json': '{ "pages": ["a/a"], "subPackages": [{ "root": "more/", "pages": ["b/b"] }], "usingComponents": { "kit-button": "kit/button" } }',
    'more/b/b.ts': 'import { x } from "../x"\nconst y: number = x\nPage({ data: { y } })', 'more/x.js': 'export const x = 41 + 1',
    'node_modules/kit/package.json': '{ "miniprogram": "dist" }', 'node_modules/kit/dist/button/index.js': 'Component({})', 'node_modules/kit/dist/button/index.json': '{ "component": true }',
    'node_modules/kit/dist/button/index.wxml': '<button bindtap="x"/>',
  })
  for (const text of ['more/b/b.ts', '41 + 1', 'miniprogram_npm/kit/button/index', '"kit-button":"/miniprogram_npm/kit/button/index"']) assert.ok(built.includes(text), text)
})

test('handlers: only attributes, only of tags, on their lines', () => {
  assert.equal(withColons('<view\n bindtap="a" catchlongpress=\'b\' mut-bindtap="c" capture-bindtap="d" bind:tap="e">bindtap="f"</view>'),
    '<view\n bind:tap="a" catch:longpress=\'b\' mut-bind:tap="c" capture-bind:tap="d" bind:tap="e">bindtap="f"</view>')
  assert.equal(withColons('<wxs module="m">var s = "<a bindtap=\'x\'>"</wxs><!-- <a bindtap="x"> --><v a="{{b > c}}" bindtap="d"/>'),
    '<wxs module="m">var s = "<a bindtap=\'x\'>"</wxs><!-- <a bindtap="x"> --><v a="{{b > c}}" bind:tap="d"/>')
})

test('styles: lengths, tags, pages, components', () => {
  assert.equal(lengths('margin: -10rpx .5rpx 0 1px'), 'margin: calc(-10 * var(--rpx)) calc(.5 * var(--rpx)) 0 1px')
  const style = (text, unit) => buildStyle({ has: () => false, text: () => text }, 'x.wxss', unit).trim()
  assert.equal(style('page view.a > #b, .c::after { x: 1rpx }', { page: 'p/p' }),
    'wx-page:where([route="p/p"]) wx-view.a > [id$="--b"], :where(wx-page[route="p/p"]) .c::after { x: calc(1 * var(--rpx)) }')
  assert.equal(style('@media (min-width: 1px) { .a:not(.b) text { y: z } }', { component: true }), '@media (min-width: 1px) {.%%a:not(.%%b) wx-text { y: z }\n }')
  assert.equal(style('@keyframes k { from { left: 1rpx } }', { app: true }), '@keyframes k { from { left: calc(1 * var(--rpx)) } }')
  assert.equal(style(':host { display: block }', { component: true }), '[wx-host="%%host"] { display: block }')
})
