// node build/static.mjs OUT --app FOLDER [--client URL]: everything that a browser needs, as files to be served from anywhere.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { buildApp } from './build.mjs'
import { buildRuntime } from './runtime.mjs'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { app: { type: 'string' }, client: { type: 'string' }, package: { type: 'string', multiple: true } } })
const [out] = positionals
if (!out) {
  console.error('usage: node build/static.mjs OUT [--app FOLDER] [--client URL] [--package NAME=FOLDER]')
  process.exit(2)
}
try {
  const packages = Object.fromEntries((values.package ?? []).map(one => one.split('=')))
  const files = [...buildRuntime({ client: values.client }), ...(values.app ? buildApp(values.app, { packages }) : [])]
  for (const [name, content] of files) {
    const file = join(out, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    console.log(`${name.padEnd(28)} ${size(content.length)}  gzip ${size(gzipSync(content).length)}`)
  }
} catch (error) {
  console.error(error.name === 'BuildError' ? error.message : error)
  process.exit(1)
}

function size(bytes) {
  return `${(bytes / 1024).toFixed(1).padStart(8)} KB`
}
