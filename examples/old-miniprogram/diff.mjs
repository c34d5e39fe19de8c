// Prints the diff that moves the old mini program. Fails if it adds more than one line beside package.json, or if the
// documents show another one. `--write` puts it into the documents.

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FENCE = /```diff\n[^]*?```/

/** The diff without times, which differ in each checkout. */
export function diff() {
  const { status, stdout, stderr } = spawnSync('diff', ['-ruN', 'before', 'after'], { cwd: fileURLToPath(new URL('.', import.meta.url)), encoding: 'utf8' })
  if (status !== 1) throw new Error(status === 0 ? 'before and after are the same' : `diff failed: ${stderr}`)
  return stdout.replace(/^(---|\+\+\+) (\S+)\t.*$/gm, '$1 $2')
}

/** The lines that it adds, package.json's apart. */
export function added(text) {
  const files = text.split(/^diff -ruN /m).filter(file => !/^before\/package\.json /.test(file))
  return files.flatMap(file => file.split('\n').filter(line => /^\+(?!\+\+ after\/)/.test(line)))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = diff()
  process.stdout.write(text)
  const lines = added(text)
  if (lines.length !== 1) {
    console.error(`the move adds ${lines.length} lines in place of one:\n${lines.join('\n')}`)
    process.exitCode = 1
  }
  for (const document of ['../../docs/moving.md', '../../docs/moving.zh-CN.md'].map(path => new URL(path, import.meta.url))) {
    const before = readFileSync(document, 'utf8')
    const after = before.replace(FENCE, () => `\`\`\`diff\n${text}\`\`\``)
    if (!FENCE.test(before)) throw new Error(`${document.pathname} has no place for the diff`)
    if (before === after) continue
    if (process.argv.includes('--write')) {
      writeFileSync(document, after)
    } else {
      console.error(`${document.pathname} shows another diff; node examples/old-miniprogram/diff.mjs --write`)
      process.exitCode = 1
    }
  }
}
