// The files that build/static.mjs writes are a phone wherever they are served: in a frame, under a strict policy, with a client elsewhere.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { FLAGS } from '../driver/phone.mjs'
import { NoAccount } from '../client/account.mjs'
import { WeChatClient } from '../client/client.mjs'
import { serve } from '../client/server.mjs'
import { HELLO } from './ground.mjs'

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src *; frame-src 'self'"
const out = mkdtempSync(join(tmpdir(), 'phone-static-'))
let printed

before(() => {
  printed = execFileSync(process.execPath, [fileURLToPath(new URL('../build/static.mjs', import.meta.url)), out, '--app', HELLO, '--client', 'there/'], { encoding: 'utf8' })
})
after(() => rmSync(out, { recursive: true }))

test('the files, their sizes, and the licences of what is in them', () => {
  assert.deepEqual(readdirSync(out).sort(), ['LICENSES.txt', 'app.js', 'files', 'index.html', 'phone.css', 'phone.js'])
  assert.match(printed, /^phone\.js +\d+\.\d KB +gzip +\d+\.\d KB$/m)
  const licences = readFileSync(join(out, 'LICENSES.txt'), 'utf8')
  for (const name of ['glass-easel ', 'glass-easel-miniprogram-adapter ', 'glass-easel-template-compiler ']) assert.ok(licences.includes(name))
  assert.equal(licences.match(/Permission is hereby granted/g).length, 3)
})

test('in a frame of a page that allows no code from text', async () => {
  const client = new WeChatClient({ appid: 'wx0123456789abcdef', version: 1, name: 'x', account: new NoAccount() })
  const protocol = await serve(client, new Map())
  const server = http.createServer(async (request, response) => {
    if (request.url.startsWith('/phone/there/')) {
      const parts = []
      for await (const part of request) parts.push(part)
      const answer = await fetch(protocol.url + request.url.replace('/phone/there/', 'client/'), { method: request.method, body: request.method === 'POST' ? Buffer.concat(parts) : undefined }).catch(() => undefined)
      // The page waits for events until the very end.
      if (!answer) return response.destroy()
      response.writeHead(answer.status, { 'content-type': 'application/json' })
      return response.end(Buffer.from(await answer.arrayBuffer()))
    }
    if (request.url === '/favicon.ico') return response.writeHead(204).end()
    const type = /\.(\w+)$/.exec(request.url)?.[1] ?? 'html'
    response.writeHead(200, { 'content-security-policy': POLICY, 'content-type': { html: 'text/html', js: 'text/javascript', css: 'text/css', png: 'image/png' }[type] })
    return response.end(request.url === '/' ? '<iframe src="/phone/index.html" style="width:375px;height:667px"></iframe>' : readFileSync(join(out, request.url.replace('/phone/', ''))))
  })
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: FLAGS })
  try {
    const page = await browser.newPage({ viewport: { width: 800, height: 700 } })
    const wrong = []
    page.on('console', line => { if (line.type() === 'error') wrong.push(line.text()) })
    page.on('pageerror', error => wrong.push(error.message))
    await page.goto(`http://127.0.0.1:${server.address().port}/`)
    const frame = page.frameLocator('iframe')
    await frame.getByText('组件').click()
    await frame.getByText('页脚 模板').waitFor()
    assert.equal((await frame.locator('[id$="--box"]').boundingBox()).width, 187.5)
    assert.deepEqual(wrong, [])
  } finally {
    await browser.close()
    server.close()
    server.closeAllConnections()
    await protocol.close()
  }
})
