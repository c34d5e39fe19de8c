// WXSS: rpx, imports, the vendor's tags, and which page or component a rule is for.

import { BUILT_IN } from '../runtime/components/names.mjs'
import { BuildError, position } from './error.mjs'

/** Stands before each class of a component; the runtime puts the component's own prefix there, or nothing if its styles are shared. */
export const PREFIX = '%%'

/** The CSS of one file with what it imports. `unit` is `{ page: route }`, `{ component: true }` or `{ app: true }`. */
export function buildStyle(source, path, unit) {
  return rules(inline(source, path, new Set()), unit)
}

function inline(source, path, seen) {
  if (seen.has(path)) return ''
  seen.add(path)
  const text = source.text(path).replace(/\/\*[\s\S]*?\*\//g, gap => gap.replace(/[^\n]/g, ''))
  checkBraces(path, text)
  return text.replace(/@import\s+(?:url\()?["']([^"']+)["']\)?\s*;?/g, (all, name, offset) => {
    const target = source.join(path, name)
    if (!source.has(target)) throw new BuildError(path, ...position(text, offset), `no such style sheet: ${name}`)
    return inline(source, target, seen)
  })
}

function checkBraces(path, text) {
  const open = []
  for (const { 0: sign, index } of text.matchAll(/[{}]/g)) {
    if (sign === '{') open.push(index)
    else if (open.pop() === undefined) throw new BuildError(path, ...position(text, index), 'a } without its {')
  }
  if (open.length > 0) throw new BuildError(path, ...position(text, open.pop()), 'a { without its }')
}

function rules(text, unit) {
  let out = ''
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('{', at)
    if (open < 0) return out + text.slice(at)
    const prelude = text.slice(at, open).trim()
    const close = matching(text, open)
    const body = text.slice(open + 1, close)
    if (/^@(media|supports|layer|container)/.test(prelude)) out += `${prelude} {${rules(body, unit)}}\n`
    else if (prelude.startsWith('@')) out += `${prelude} {${lengths(body)}}\n`
    else out += `${selectors(prelude, unit)} {${lengths(body)}}\n`
    at = close + 1
  }
  return out
}

function matching(text, open) {
  let depth = 0
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1
    if (text[at] === '}' && --depth === 0) return at
  }
  return text.length
}

/** 750rpx are the width of the screen, which isn't always the window's. */
export function lengths(text) {
  return text.replace(/(-?(?:\d+\.?\d*|\.\d+))rpx\b/g, 'calc($1 * var(--rpx))')
}

function selectors(prelude, unit) {
  return splitCommas(prelude).map(selector => {
    const rewritten = tokens(selector.trim(), unit)
    if (!unit.page) return rewritten
    const root = `wx-page:where([route="${unit.page}"])`
    return /^wx-page(?![\w-])/.test(rewritten) ? rewritten.replace(/^wx-page/, root) : `:where(wx-page[route="${unit.page}"]) ${rewritten}`
  }).join(', ')
}

function splitCommas(prelude) {
  return prelude.match(/(?:\([^)]*\)|\[[^\]]*\]|[^,])+/g) ?? []
}

const TOKEN = /(\[[^\]]*\])|(:host)\b|(::?[a-zA-Z-]+)|\.(-?[_a-zA-Z\u0080-\uffff\\][^\s.#:[\](),>+~*]*)|#([\w-]+)|([a-zA-Z][\w-]*)/g

function tokens(selector, unit) {
  return selector.replace(TOKEN, (all, attribute, host, pseudo, name, id, tag) => {
    if (host) return `[wx-host="${PREFIX}host"]`
    if (name !== undefined) return unit.component ? `.${PREFIX}${name}` : all
    // glass-easel writes an id behind a prefix of its own.
    if (id !== undefined) return `[id$="--${id}"]`
    if (tag !== undefined && (BUILT_IN.includes(tag) || tag === 'page')) return `wx-${tag}`
    return all
  })
}
