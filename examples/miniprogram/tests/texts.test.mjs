// What the mini program says: the same in both languages, and nothing that isn't there.

import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'

const root = new URL('../', import.meta.url)
const require = createRequire(root)
const read = path => readFileSync(new URL(path, root), 'utf8')

const languages = { en: require('./i18n/en'), zh: require('./i18n/zh') }
const pages = JSON.parse(read('app.json')).pages

/** `a.b: string` for each text. */
const shapes = (texts, path = '') => Object.entries(texts).flatMap(([key, text]) =>
  typeof text === 'object' ? shapes(text, `${path}${key}.`) : [`${path}${key}: ${typeof text}`])

test('both languages have the same texts', () => {
  assert.deepEqual(shapes(languages.zh), shapes(languages.en))
  assert.ok(!/[\u4e00-\u9fff]/.test(JSON.stringify({ ...languages.en, goods: {} })))
})

test('each text that a page or a script names is there', () => {
  const folders = ['lib', 'templates', ...pages.map(page => page.replace(/\/[^/]+$/, ''))]
  const files = folders.flatMap(folder => readdirSync(new URL(folder, root)).map(file => `${folder}/${file}`))
  let named = 0
  for (const file of files.filter(each => /\.(js|wxml)$/.test(each))) {
    for (const [, path] of read(file).matchAll(/(?<![\w.])t((?:\.\w+)+)/g)) {
      const keys = path.split('.').slice(1)
      const found = keys.reduce((texts, key) => (typeof texts === 'object' ? texts?.[key] : texts), languages.en)
      assert.notEqual(found, undefined, `${file}: t${path}`)
      named++
    }
  }
  assert.ok(named > 60, `only ${named} were found`)
})

test('buttons of a modal have four characters at most, which WeChat demands', () => {
  for (const { me } of Object.values(languages)) {
    for (const text of [me.yes, me.no]) assert.ok([...text].length <= 4, text)
  }
})

test('an error is told in words, and what is shown otherwise is not told twice', () => {
  globalThis.wx = { getAppBaseInfo: () => ({ language: 'en' }) }
  const words = require('./lib/words')
  const { errors } = languages.en
  assert.equal(words({ errMsg: 'request:fail timeout' }), errors.network)
  assert.equal(words({ code: 'network' }), errors.network)
  assert.equal(words({ code: 'binding_rejected', message: 'No.' }), 'No.')
  assert.equal(words({ status: 500 }), errors.other)
  assert.equal(words(new TypeError('x is not a function')), errors.other, 'a fault of ours is no business of the person’s')
  for (const quiet of [{ code: 'not_bound' }, { code: 'session_kicked' }, { errMsg: 'getWeRunData:fail auth deny' }, { errMsg: 'scanCode:fail cancel' }]) {
    assert.equal(words(quiet), '', JSON.stringify(quiet))
  }
})
