// A folder with a mini program becomes files for a browser: `app.js` with all scripts, templates and styles, and its pictures.

import { readdirSync } from 'node:fs'
import { extname, join, relative } from 'node:path'
import { readConfig } from './config.mjs'
import { buildScripts } from './scripts.mjs'
import { Source } from './source.mjs'
import { buildStyle } from './styles.mjs'
import { buildTemplates } from './templates.mjs'

const ASSETS = new Set(['.png', '.jpg', '.jpeg', '.gif', '.svg', '.webp'])

/** `Map` of file name to content. `packages`: name to folder, for packages that aren't installed. Throws a BuildError. */
export function buildApp(folder, { packages } = {}) {
  const source = new Source(folder, packages)
  const { app, pages, units } = readConfig(source)
  const scripts = buildScripts(source, ['app', ...units.keys()])
  const templates = buildTemplates(source, units.keys())
  const styles = { app: source.has('app.wxss') ? buildStyle(source, 'app.wxss', { app: true }) : '' }
  for (const [path, unit] of units) {
    if (source.has(`${path}.wxss`)) styles[path] = buildStyle(source, `${path}.wxss`, unit.page ? { page: path } : { component: true })
  }
  const config = { app: { ...app, pages }, units: Object.fromEntries([...units].map(([path, unit]) => [path, unit.config])) }
  const files = new Map()
  // `with` needs a script that isn't in strict mode; the functions inside are.
  files.set('app.js', `phone.load({
config: ${JSON.stringify(config)},
styles: ${JSON.stringify(styles)},
templates: ${templates},
scripts: function (scope) { with (scope) { return ${scripts} } }
})
`)
  for (const path of assets(source.folder)) files.set(`files/${path}`, source.bytes(path))
  return files
}

function assets(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && ASSETS.has(extname(entry.name)))
    .map(entry => relative(folder, join(entry.parentPath ?? entry.path, entry.name)).replaceAll('\\', '/'))
    .filter(path => !path.split('/').includes('node_modules'))
}
