// The real server, WeChat's simulator, a back end with its webhook, and a proxy in front that asks the check as nginx does.
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { execFileSync } from 'node:child_process'

const APPID = 'wx0123456789abcdef'
const SECRET = '0123456789abcdef0123456789abcdef'
const PRINCIPAL = ['yaopai-user', 'yaopai-session-id', 'yaopai-body-signed', 'yaopai-code', 'yaopai-time', 'yaopai-status', 'yaopai-bound', 'retry-after']

const freePort = () =>
  new Promise(done => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })

/** One HTTP exchange; `body` a string or bytes. */
export function exchange(url, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((done, failed) => {
    const request = http.request(url, { method, headers }, response => {
      const parts = []
      response.on('data', part => parts.push(part))
      response.on('end', () => done({ status: response.statusCode, headers: response.headers, text: Buffer.concat(parts).toString() }))
    })
    request.on('error', failed)
    request.end(body)
  })
}

/** Waits until a process has said that it listens, or is gone. */
const ready = async (url, child) => {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended: ${child.said}`)
    if (await exchange(url).then(r => r.status < 500, () => false)) return
    await new Promise(done => setTimeout(done, 50))
  }
}

function run(binary, args, env = {}) {
  const child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  child.said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', text => (child.said += text))
  return child
}

export async function startShop(settings = '') {
  const binary = process.env.YAOPAI
  if (!binary) throw new Error('YAOPAI names no server: set it to the built binary, e.g. target/debug/yaopai')
  const folder = mkdtempSync(`${tmpdir()}/yaopai-sdk-`)
  const [simPort, publicPort, checkPort, adminPort] = [await freePort(), await freePort(), await freePort(), await freePort()]
  execFileSync(binary, ['init', `${folder}/shop`])
  const children = []
  const servers = []
  const listen = handler =>
    new Promise(done => {
      const server = http.createServer(handler).listen(0, '127.0.0.1', () => done(server.address().port))
      servers.push(server)
    })
  const stop = () => {
    children.forEach(child => child.kill())
    servers.forEach(server => (server.close(), server.closeAllConnections()))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const key = Buffer.from(readFileSync(`${folder}/shop/webhook.secret`, 'utf8').trim().replace('whsec_', ''), 'base64')
    const bound = {}
    const webhook = await listen(async (request, response) => {
      let text = ''
      for await (const part of request) text += part
      const signed = createHmac('sha256', key).update(`${request.headers['webhook-id']}.${request.headers['webhook-timestamp']}.${text}`).digest('base64')
      if (request.headers['webhook-signature'] !== `v1,${signed}`) return response.writeHead(401).end()
      const { type, data } = JSON.parse(text)
      let answer = {}
      if (type === 'resolve') answer = { user: bound[data.openid] ?? null }
      if (type === 'bind') {
        const isRight = ['alice', 'bob'].includes(data.form.name) && data.form.password === 's3cret'
        if (isRight) bound[data.openid] = data.form.name
        answer = isRight ? { user: data.form.name, claims: { roles: ['buyer'] } } : { user: null, message: 'Wrong name or password' }
      }
      response.writeHead(200).end(JSON.stringify(answer))
    })
    const config = `${folder}/shop/yaopai.toml`
    let text = readFileSync(config, 'utf8')
    const set = (from, to) => {
      if (!text.includes(from)) throw new Error(`the configuration of init has no ${from}`)
      text = text.replace(from, to)
    }
    set('development = false', 'development = true')
    set('appid = "wx0000000000000000"', `appid = "${APPID}"`)
    set('# base_url = "https://api.weixin.qq.com"', `base_url = "http://127.0.0.1:${simPort}"`)
    set('http://127.0.0.1:8080/yaopai', `http://127.0.0.1:${webhook}/`)
    set('[listen]', `[listen]\npublic = "127.0.0.1:${publicPort}"\ncheck = "127.0.0.1:${checkPort}"\nadmin = "127.0.0.1:${adminPort}"`)
    if (settings) set('keyed = "required"', settings)
    writeFileSync(config, text)
    const sim = run(binary, ['sim', '--listen', `127.0.0.1:${simPort}`])
    children.push(sim)
    await ready(`http://127.0.0.1:${simPort}/`, sim)
    const server = run(binary, ['serve', '--config', config], { SHOP_APP_SECRET: SECRET })
    children.push(server)
    await ready(`http://127.0.0.1:${adminPort}/readyz`, server)
    const token = /control token: (\S+)/.exec(sim.said)[1]
    const log = []
    const front = await listen(async (request, response) => {
      const parts = []
      for await (const part of request) parts.push(part)
      const body = Buffer.concat(parts)
      const { method, url, headers } = request
      log.push({ method, url, headers, body: body.toString() })
      const answer = async () => {
        if (url.startsWith('/yaopai/v1')) return exchange(`http://127.0.0.1:${publicPort}${url}`, { method, headers, body })
        const asked = url.startsWith('/open') ? 'require=session' : url.startsWith('/pay') ? 'require=bound&vouched=1' : '-'
        const unsigned = url.startsWith('/photo') ? '&unsigned_body=1' : ''
        const check = `/check/nginx/${asked === '-' && unsigned ? 'require=session' : asked}${unsigned}/${method}/http/${headers.host}${url}`
        const { 'content-length': _, ...rest } = headers
        const said = await exchange(`http://127.0.0.1:${checkPort}${check}`, { headers: rest })
        const shown = Object.fromEntries(PRINCIPAL.filter(name => said.headers[name]).map(name => [name, said.headers[name]]))
        if (said.status !== 200) return { ...said, headers: shown }
        return { status: 200, headers: shown, text: JSON.stringify({ user: said.headers['yaopai-user'], signed: said.headers['yaopai-body-signed'], body: body.toString() }) }
      }
      const { status, headers: fields, text: out } = await answer()
      const { 'transfer-encoding': _, 'content-length': __, ...rest } = fields
      response.writeHead(status, rest).end(out)
    })
    const code = async person => JSON.parse((await exchange(`http://127.0.0.1:${simPort}/_sim/code`, {
      method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ user: person }),
    })).text).code
    return { url: `http://127.0.0.1:${front}`, log, code, stop, forget: () => Object.keys(bound).forEach(openid => delete bound[openid]) }
  } catch (error) {
    stop()
    throw error
  }
}
