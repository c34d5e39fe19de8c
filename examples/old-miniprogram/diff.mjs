// Prints the diffs that move the old mini program. Fails if a move adds more lines beside package.json than it may, or if the
// documents show another one. `--write` puts them into the documents.

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** How many lines each move adds: at once, one; step by step, two, the name of the cookie with its comment, and the question first. */
const MOVES = { during: 5, after: 1 }

const fence = to => new RegExp(`\`\`\`diff\\ndiff -ruN before/\\S+ ${to}/[^]*?\`\`\``)

/** The diff without times, which differ in each checkout. */
export function diff(to) {
  const { status, stdout, stderr } = spawnSync('diff', ['-ruN', 'before', to], { cwd: fileURLToPath(new URL('.', import.meta.url)), encoding: 'utf8' })
  if (status !== 1) throw new Error(status === 0 ? `before and ${to} are the same` : `diff failed: ${stderr}`)
  return stdout.replace(/^(---|\+\+\+) (\S+)\t.*$/gm, '$1 $2')
}

/** The lines that it adds, package.json's apart. */
export function added(text) {
  const files = text.split(/^diff -ruN /m).filter(file => !/^before\/package\.json /.test(file))
  return files.flatMap(file => file.split('\n').filter(line => /^\+(?!\+\+ (during|after)\/)/.test(line)))
}

function fail(text) {
  console.error(text)
  process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [to, most] of Object.entries(MOVES)) {
    const text = diff(to)
    process.stdout.write(text)
    const lines = added(text)
    if (lines.length !== most) fail(`the move to ${to} adds ${lines.length} lines in place of ${most}:\n${lines.join('\n')}`)
    for (const document of ['../../docs/moving.md', '../../docs/moving.zh-CN.md'].map(path => new URL(path, import.meta.url))) {
      const before = readFileSync(document, 'utf8')
      const after = before.replace(fence(to), () => `\`\`\`diff\n${text}\`\`\``)
      if (!fence(to).test(before)) throw new Error(`${document.pathname} has no place for the diff to ${to}`)
      if (before === after) continue
      if (process.argv.includes('--write')) writeFileSync(document, after)
      else fail(`${document.pathname} shows another diff; node examples/old-miniprogram/diff.mjs --write`)
    }
  }
  const config = readFileSync(new URL('server/during.toml', import.meta.url), 'utf8').trim()
  for (const document of ['../../docs/moving.md', '../../docs/moving.zh-CN.md'].map(path => new URL(path, import.meta.url))) {
    const before = readFileSync(document, 'utf8')
    const place = /```toml\n\[legacy\][^]*?```/
    const after = before.replace(place, () => `\`\`\`toml\n${config}\n\`\`\``)
    if (!place.test(before)) throw new Error(`${document.pathname} has no place for during.toml`)
    if (before === after) continue
    if (process.argv.includes('--write')) writeFileSync(document, after)
    else fail(`${document.pathname} shows another configuration; node examples/old-miniprogram/diff.mjs --write`)
  }
}
