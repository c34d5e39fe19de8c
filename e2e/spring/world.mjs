// The real server, WeChat's simulator, and the Spring program in both profiles.
import { spawn } from 'node:child_process'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'

const APPID = 'wx0123456789abcdef'
const SECRET = '0123456789abcdef0123456789abcdef'
const HOST = 'shop.example'

const freePort = () =>
  new Promise(done => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })

function run(binary, args, env = {}) {
  const child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  child.said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', text => (child.said += text))
  return child
}

/** Waits until `is` says so; fails after `seconds`, or when `child` has ended. */
export async function until(what, seconds, is, child) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    if (child && child.exitCode !== null) throw new Error(`it ended: ${child.said}`)
    if (await is()) return
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}\n${child?.said ?? ''}`)
    await new Promise(done => setTimeout(done, 200))
  }
}

const answers = url => fetch(url).then(answer => answer.status < 500, () => false)
const sha256 = text => createHash('sha256').update(text).digest('hex')

export async function startWorld() {
  const { YAOPAI, ORDERS } = process.env
  if (!YAOPAI || !ORDERS) throw new Error('YAOPAI and ORDERS name no programs: start e2e/spring/run.sh')
  const folder = mkdtempSync(`${tmpdir()}/yaopai-spring-`)
  const children = []
  const stop = async () => {
    const ended = children.filter(child => child.exitCode === null).map(child => new Promise(done => child.once('close', done)))
    children.forEach(child => child.kill())
    await Promise.all(ended)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const [simPort, publicPort, checkPort, adminPort, jwtPort, opaquePort] = await Promise.all(Array.from({ length: 6 }, freePort))
    const admin = `http://127.0.0.1:${adminPort}`
    const app = (name, keyed) =>
      `[[apps]]\nname = "${name}"\nappid = "${APPID}"\nsecret = "env:APP_SECRET"\nbase_url = "http://127.0.0.1:${simPort}"\n` +
      `binding = "auto"\nkeyed = "${keyed}"\n`
    const key = (name, scopes) => `[[api_keys]]\nname = "${name}"\nscopes = ${JSON.stringify(scopes)}\nhash = "sha256:${sha256(name)}"\n`
    writeFileSync(`${folder}/yaopai.toml`, `
development = true
master_key = "env:MASTER_KEY"
listen = { public = "127.0.0.1:${publicPort}", check = "127.0.0.1:${checkPort}", admin = "127.0.0.1:${adminPort}" }
live = { flush_interval = 1 }
[jwt]
issuer = "${admin}"
publish_ahead = 3
[[audiences]]
name = "orders"
lifetime = 10
scope_from = "roles"
[[audiences]]
name = "stock"
lifetime = 10
${app('shop', 'off')}
${app('vault', 'required')}
${key('yk_operator', ['admin', 'signing_keys'])}
${key('yk_orders', ['introspect'])}
`)
    const sim = run(YAOPAI, ['sim', '--listen', `127.0.0.1:${simPort}`])
    children.push(sim)
    await until('the simulator listens', 20, () => answers(`http://127.0.0.1:${simPort}/`), sim)
    const server = run(YAOPAI, ['serve', '--config', `${folder}/yaopai.toml`], { APP_SECRET: SECRET, MASTER_KEY: randomBytes(32).toString('base64') })
    children.push(server)
    await until('the server is ready', 20, () => answers(`${admin}/readyz`), server)
    const backEnds = {}
    for (const [profile, port] of [['jwt', jwtPort], ['opaque', opaquePort]]) {
      const args = ['-XX:TieredStopAtLevel=1', '-jar', ORDERS, `--spring.profiles.active=${profile}`]
      const child = run('java', args, { PORT: String(port), YAOPAI_URL: admin, YAOPAI_API_KEY: 'yk_orders' })
      children.push(child)
      await until(`Spring listens (${profile})`, 120, () => answers(`http://127.0.0.1:${port}/me`), child)
      backEnds[profile] = `http://127.0.0.1:${port}`
    }
    const control = /control token: (\S+)/.exec(sim.said)[1]
    const post = (url, body, headers = {}) =>
      fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })

    /** Logs somebody in. Answers the login object. */
    const logIn = async (name, extra = {}) => {
      const { code } = await (await post(`http://127.0.0.1:${simPort}/_sim/code`, { user: 'lilei' }, { authorization: `Bearer ${control}` })).json()
      const login = { app: name, code, request_id: randomBytes(16).toString('hex'), ...extra }
      const answer = await post(`http://127.0.0.1:${publicPort}/yaopai/v1/session`, login)
      if (answer.status !== 201) throw new Error(`login: ${answer.status} ${await answer.text()}`)
      return answer.json()
    }
    /** What a proxy asks about `GET /me` of this session. Answers the status and the JWT. */
    const check = async (session, ask) => {
      const headers = { authorization: `Bearer ${session.token}`, ...(session.key && signed(session)) }
      const answer = await fetch(`http://127.0.0.1:${checkPort}/check/nginx/${ask}/GET/https/${HOST}/me`, { headers })
      return { status: answer.status, jwt: answer.headers.get('authorization')?.replace('Bearer ', '') }
    }
    const call = async (method, path, body) => {
      const headers = { authorization: 'Bearer yk_operator', 'content-type': 'application/json' }
      const answer = await fetch(`${admin}${path}`, { method, headers, body: body && JSON.stringify(body) })
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
      return answer.status === 204 ? undefined : answer.json()
    }
    /** A request to the Spring program. */
    const ask = async (profile, token, path = '/me', method = 'GET') => {
      const answer = await fetch(`${backEnds[profile]}${path}`, { method, headers: token ? { authorization: `Bearer ${token}` } : {} })
      const text = await answer.text()
      return { status: answer.status, body: text ? JSON.parse(text) : undefined }
    }
    return { logIn, check, call, ask, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** RFC 9421, as docs/signatures.md says. */
function signed({ token, session_id, key }) {
  const covered = '("@method" "@authority" "@path" "@query" "authorization")'
  const created = Math.floor(Date.now() / 1000)
  const params = `${covered};created=${created};nonce="${randomBytes(16).toString('hex')}";keyid="${session_id}";alg="hmac-sha256";tag="yaopai"`
  const lines = ['"@method": GET', `"@authority": ${HOST}`, '"@path": /me', '"@query": ?', `"authorization": Bearer ${token}`]
  const base = [...lines, `"@signature-params": ${params}`].join('\n')
  const signature = createHmac('sha256', Buffer.from(key.secret, 'base64')).update(base).digest('base64')
  return { 'signature-input': `yaopai=${params}`, signature: `yaopai=:${signature}:` }
}
