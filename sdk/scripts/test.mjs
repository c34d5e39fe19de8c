// All tests but those against the real server: `node scripts/test.mjs [flags of node]`.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../tests', import.meta.url))
const files = readdirSync(root, { recursive: true })
  .filter(name => name.endsWith('.test.mjs') && !name.startsWith('real'))
  .map(name => `${root}/${name}`)
process.exit(spawnSync(process.execPath, [...process.argv.slice(2), '--test', ...files], { stdio: 'inherit' }).status ?? 1)
