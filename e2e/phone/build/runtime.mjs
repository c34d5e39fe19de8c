// The runtime without an app: the page, its script and its style, and the licences of what is in it.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import esbuild from 'esbuild'

const HERE = fileURLToPath(new URL('..', import.meta.url))
const SHIPPED = ['glass-easel', 'glass-easel-miniprogram-adapter']

/** `Map` of file name to content. `app.js` and `files/` beside them are of an app. */
export function buildRuntime({ client } = {}) {
  const script = esbuild.buildSync({
    entryPoints: [join(HERE, 'runtime/main.mjs')], bundle: true, minify: true, format: 'iife', target: 'es2022', charset: 'utf8',
    define: { 'process.env.NODE_ENV': '"production"' }, write: false, logLevel: 'silent', absWorkingDir: HERE, legalComments: 'none',
  }).outputFiles[0].contents
  const style = esbuild.buildSync({ entryPoints: [join(HERE, 'runtime/screen/style.css')], bundle: true, minify: true, write: false, absWorkingDir: HERE }).outputFiles[0].contents
  const page = readFileSync(join(HERE, 'runtime/index.html'), 'utf8')
  return new Map([
    ['index.html', client ? page.replace('data-client="client/"', `data-client="${client}"`) : page],
    ['phone.js', script],
    ['phone.css', style],
    ['LICENSES.txt', licences()],
  ])
}

function licences() {
  return SHIPPED.map(name => {
    const root = join(HERE, 'node_modules', name)
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    return `${name} ${version}\n\n${readFileSync(join(root, 'LICENSE'), 'utf8')}`
  }).join('\n----\n\n')
}
