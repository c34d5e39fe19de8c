// All tests but those against the real server, in one process: `node scripts/test.mjs [folders or files]`.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../tests', import.meta.url))
const only = process.argv.slice(2).filter(name => !name.startsWith('-'))
const files = readdirSync(root, { recursive: true }).filter(name => name.endsWith('.test.mjs') && !name.startsWith('real'))
for (const name of files.sort()) if (!only.length || only.some(part => name.includes(part))) await import(`${root}/${name}`)
