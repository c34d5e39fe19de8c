// app.json, and every page and component that it leads to.

import { BuildError, position } from './error.mjs'

/** `{ app, pages, units }`: units are pages and components by path, each with its own configuration, its tags' targets made absolute. */
export function readConfig(source) {
  const app = source.json('app.json')
  const pages = [...(app.pages ?? [])]
  for (const part of [...(app.subpackages ?? app.subPackages ?? [])]) {
    for (const page of part.pages) pages.push(`${part.root.replace(/\/$/, '')}/${page}`)
  }
  if (pages.length === 0) throw new BuildError('app.json', 0, 0, 'it names no page')
  const units = new Map()
  const walk = [...pages.map(path => ({ path, from: 'app.json', page: true })), ...targets(source, 'app.json', app.usingComponents)]
  while (walk.length > 0) {
    const { path, from, page } = walk.pop()
    if (units.has(path)) continue
    if (!source.has(`${path}.js`) && !source.has(`${path}.ts`)) {
      const file = from.endsWith('.json') ? from : `${from}.json`
      throw new BuildError(file, ...position(source.text(file), source.text(file).indexOf(path.split('/').at(-1))), `${path}.js: no such file`)
    }
    const config = source.has(`${path}.json`) ? source.json(`${path}.json`) : {}
    const own = targets(source, path, config.usingComponents)
    const using = Object.fromEntries([...targets(source, 'app.json', app.usingComponents), ...own].map(t => [t.tag, `/${t.path}`]))
    units.set(path, { page: Boolean(page), config: { ...config, usingComponents: using } })
    walk.push(...own)
  }
  return { app, pages, units }
}

function targets(source, from, using = {}) {
  return Object.entries(using)
    .filter(([, name]) => !name.startsWith('plugin://'))
    .map(([tag, name]) => {
      const path = locate(source, from, name)
      if (path === undefined) {
        const file = from.endsWith('.json') ? from : `${from}.json`
        throw new BuildError(file, ...position(source.text(file), source.text(file).indexOf(name)), `no such component: ${name}`)
      }
      return { tag, path, from }
    })
}

/** A component by the name in usingComponents: a file, a folder with index, or one in a package. */
function locate(source, from, name) {
  const direct = source.join(from, name)
  for (const path of [direct, `${direct}/index`]) {
    if (source.has(`${path}.js`) || source.has(`${path}.ts`)) return path
  }
  if (/^[./]/.test(name)) return undefined
  return source.inPackages(from, name, ['.js', '/index.js'])?.replace(/\.js$/, '')
}
