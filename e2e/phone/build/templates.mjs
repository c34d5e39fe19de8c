// WXML and WXS through the vendor's own compiler.

import compiler from 'glass-easel-template-compiler'
import { BuildError, position } from './error.mjs'

/** Warnings of the compiler that the vendor's tool refuses. */
const UNBALANCED = /^(missing|invalid) end tag/

/** The text of an expression: template path to what glass-easel makes of it. */
export function buildTemplates(source, paths) {
  const group = new compiler.TmplGroup()
  const seen = new Set()
  const todo = [...paths]
  const scripts = new Set()
  while (todo.length > 0) {
    const path = todo.pop()
    if (seen.has(path)) continue
    seen.add(path)
    const file = `${path}.wxml`
    const text = source.has(file) ? source.text(file) : ''
    const problems = group.addTmpl(path, withColons(text))
    const worst = problems.find(problem => problem.isError || UNBALANCED.test(problem.message))
    if (worst) throw new BuildError(file, worst.startLine + 1, worst.startColumn + 1, worst.message)
    for (const needed of group.getDirectDependencies(path)) {
      const name = needed.replace(/\.wxml$/, '')
      if (!source.has(`${name}.wxml`)) throw new BuildError(file, ...position(text, text.indexOf(name.split('/').at(-1))), `no such template: ${name}.wxml`)
      todo.push(name)
    }
    for (const script of group.getScriptDependencies(path)) addScript(source, group, file, script, scripts)
  }
  group.setExtraRuntimeScript('var getRegExp=function(a,b){return new RegExp(a,b)};var getDate=function(){var D=Date;return new (D.bind.apply(D,[null].concat([].slice.call(arguments))))};')
  const made = group.getTmplGenObjectGroups()
  group.free()
  return made
}

function addScript(source, group, from, name, seen) {
  const path = name.replace(/\.wxs$/, '')
  if (seen.has(path)) return
  seen.add(path)
  if (!source.has(`${path}.wxs`)) throw new BuildError(from, 0, 0, `no such script: ${path}.wxs`)
  const text = source.text(`${path}.wxs`)
  group.addScript(name, text)
  for (const [, , needed] of text.matchAll(/\brequire\(\s*(["'])([^"'\n]+)\1\s*\)/g)) {
    addScript(source, group, `${path}.wxs`, source.join(`${path}.wxs`, needed), seen)
  }
}

const TAG = /<!--[\s\S]*?-->|<wxs\b[\s\S]*?<\/wxs>|<[a-zA-Z][\w:-]*(?:\s+[^\s"'>/=]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?|\s+)*\s*\/?>/g
const HANDLER = /(\s)(capture-bind|capture-catch|mut-bind|bind|catch)([a-zA-Z][\w-]*\s*=\s*["'])/g

/** `bindtap` as `bind:tap`, the one form that the compiler knows; nothing moves to another line. */
export function withColons(text) {
  return text.replace(TAG, tag => (tag.startsWith('<!') || tag.startsWith('<wxs') ? tag : tag.replace(HANDLER, '$1$2:$3')))
}
