// Starts `yaopai demo` and a browser, walks once in each language, and stops both whatever happens.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'
import { walk } from './walk.mjs'

/** Longer than anything here takes, in milliseconds. */
const PATIENCE = 60_000
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync']

const temporary = mkdtempSync(join(tmpdir(), 'yaopai-page-'))

/** The demo, and the address of its page: the line of its output that is nothing but one. */
async function start() {
  const demo = spawn(process.env.YAOPAI, ['demo'], { env: { ...process.env, TMPDIR: temporary }, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise(done => demo.once('close', done))
  const told = []
  const address = new Promise((found, failed) => {
    createInterface({ input: demo.stdout }).on('line', line => {
      told.push(line)
      if (/^ +http:\/\/\S+\/$/.test(line)) found(line.trim())
    })
    demo.once('error', failed)
    ended.then(status => failed(new Error(`the demo ended with ${status}\n${told.join('\n')}`)))
    setTimeout(() => failed(new Error(`the demo printed no address\n${told.join('\n')}`)), PATIENCE).unref()
  })
  const stop = async () => {
    demo.kill('SIGINT')
    const status = await ended
    if (status !== 0) throw new Error(`the demo ended with ${status}`)
  }
  try {
    return { address: await address, stop }
  } catch (error) {
    demo.kill('SIGKILL')
    throw error
  }
}

const demo = await start()
let failure
try {
  for (const [language, person] of [['en', 'hanmeimei'], ['zh-CN', 'wangfang']]) {
    const began = Date.now()
    // A profile of its own, empty, for each.
    const profile = mkdtempSync(join(temporary, 'profile-'))
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.CHROMIUM, args: FLAGS, locale: language, viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce',
    })
    try {
      const done = await walk(browser, demo.address, language, person)
      console.log(`${language}: ${done.buttons} buttons, ${done.presses} presses, ${done.taps} taps, ${done.shots} screenshots, ${((Date.now() - began) / 1000).toFixed(1)} s`)
    } finally {
      await browser.close()
    }
  }
} catch (error) {
  failure = error
}
try {
  await demo.stop()
} catch (error) {
  failure ??= error
}
rmSync(temporary, { recursive: true, force: true })
if (failure) {
  console.error(failure)
  process.exitCode = 1
}
