// What the stack starts ends with the program that has started it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

const PROCESSES = new URL('../server/stack/processes.mjs', import.meta.url)

const program = folder => `
import { rmSync } from 'node:fs'
import { Processes } from ${JSON.stringify(PROCESSES.href)}
// Somebody else's work at the end, such as a browser's.
process.once('exit', () => { for (const until = Date.now() + 500; Date.now() < until;); })
const processes = new Processes(() => rmSync(${JSON.stringify(folder)}, { recursive: true }))
const stays = ['-e', 'console.log(process.pid); setInterval(() => {}, 1000)']
console.log(await processes.start('child', process.execPath, stays, {}, said => /^[0-9]+/.exec(said)?.[0]))
`

const lives = pid => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
  test(`a program that is ended by ${signal}, twice, leaves no process and no folder behind`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'yaopai-processes-'))
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program(folder)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const child = Number((await once(parent.stdout, 'data'))[0])
    assert.ok(lives(child))
    parent.kill(signal)
    await wait(100)
    parent.kill(signal)
    await once(parent, 'exit')
    for (const until = Date.now() + 10_000; lives(child) && Date.now() < until;) await wait(20)
    assert.equal(lives(child), false)
    assert.equal(existsSync(folder), false)
  })
}
