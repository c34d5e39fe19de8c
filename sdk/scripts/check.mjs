// What must hold of each built file: its size, and nothing in it that a phone doesn't have.
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

// Of the default entry, in bytes. What may grow is decided here, and not by the next change.
const BUDGET = { min: 17344, gzip: 8352 }
const ABSENT =
  /\b(BigInt|TextEncoder|TextDecoder|URL|URLSearchParams|btoa|atob|Proxy|eval|Function|fetch|crypto|WebAssembly|structuredClone|queueMicrotask|window|document|require)\b|\*\*|\(\?<[=!]|\bthis\.#|\d+n\b|\?\.[a-zA-Z[(]|\?\?/

const dist = process.argv[2] || fileURLToPath(new URL('../miniprogram_dist', import.meta.url))
let failed = false
for (const name of readdirSync(dist).filter(name => name.endsWith('.js'))) {
  const code = readFileSync(`${dist}/${name}`, 'utf8')
  const min = Buffer.byteLength(code)
  const gzip = gzipSync(code, { level: 9 }).length
  console.log(`${name}: ${min} bytes, ${gzip} gzip -9`)
  // A word in a text is no use of it.
  const found = ABSENT.exec(code.replace(/"(?:[^"\\\n]|\\.)*"/g, '""'))
  if (found) {
    console.error(`${name}: a phone doesn't have ${JSON.stringify(found[0])}: …${code.slice(found.index - 40, found.index + 40)}…`)
    failed = true
  }
  if (name === 'index.js' && (min > BUDGET.min || gzip > BUDGET.gzip)) {
    console.error(`${name}: larger than ${BUDGET.min} bytes, ${BUDGET.gzip} gzip -9`)
    failed = true
  }
}
process.exit(failed ? 1 : 0)
