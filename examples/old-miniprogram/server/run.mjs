// The club, before, during or after the move, with a simulated WeChat:
//
//   node server/run.mjs before|during|after [--port 8480]

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Accounts, PEOPLE } from '../../miniprogram/server/accounts.mjs'
import { yaopaiProgram } from '../../miniprogram/server/run.mjs'
import { startNginx } from '../../miniprogram/server/stack/nginx.mjs'
import { Processes, freePorts } from '../../miniprogram/server/stack/processes.mjs'
import { startServer } from '../../miniprogram/server/stack/server.mjs'
import { APPID, APP_SECRET, startSimulator } from '../../miniprogram/server/stack/simulator.mjs'
import { club } from './club.mjs'
import { withYaopai } from './yaopai.mjs'

const PLACES = ['front', 'club', 'public', 'check', 'admin', 'sim']

const ROUTES = `
        location / { return 404; }
        location = /courses { set $yaopai_ask "require=session"; proxy_pass http://shop; }
        location = /cart { set $yaopai_ask "require=session"; proxy_pass http://shop; }
        location = /mine { set $yaopai_ask "require=session"; proxy_pass http://shop; }
        location = /bind { set $yaopai_ask "require=session"; proxy_pass http://shop; }
        location = /bookings { proxy_pass http://shop; }

        `

/** Yaopai's gateway in place of nginx, and what has a session of old goes by it. */
const gateway = port => {
  const text = readFileSync(new URL('during.toml', import.meta.url), 'utf8')
  if (!text.includes('127.0.0.1:8080')) throw new Error('during.toml no longer has the club’s address')
  return text.replace('127.0.0.1:8080', `127.0.0.1:${port}`)
}

/**
 * `state` is 'before', 'during' or 'after'; `ports` as in the new example; `known` is bound from the start. `people` and `members`
 * are others than the example's; `carts` and `now` as the club has them; `backlog` connections may wait until they are taken.
 */
export async function startClub(state, { ports: wanted = {}, known = 'xiaoming', config, people = PEOPLE, members = new Accounts(people), carts, now, backlog } = {}) {
  const yaopai = yaopaiProgram()
  const free = await freePorts(PLACES.length)
  const ports = Object.fromEntries(PLACES.map((place, n) => [place, wanted[place] ?? free[n]]))
  const folder = mkdtempSync(join(tmpdir(), 'yaopai-club-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const processes = new Processes(remove)
  let backEnd
  const stop = async () => {
    await processes.stop()
    if (backEnd) await new Promise(done => { backEnd.close(done); backEnd.closeAllConnections() })
    remove()
  }
  try {
    const sim = await startSimulator(processes, folder, { yaopai, port: ports.sim, people })
    if (known) members.byAccount(known).openid = await sim.openid(known)
    const running = { url: `http://127.0.0.1:${ports.front}`, ports, sim, stop }
    const [isBefore, isDuring] = [state === 'before', state === 'during']
    const old = { members, carts, now, ...(state !== 'after' && { exchange: code => exchange(sim.url, code) }) }
    if (isBefore) {
      backEnd = club(old)
    } else {
      const hook = `http://127.0.0.1:${ports.club}/yaopai-webhook`
      const server = await startServer(processes, folder, {
        yaopai,
        ports: isDuring ? { ...ports, public: ports.front } : ports,
        wechat: sim.url,
        hook,
        config: { ...config, '[[apps]]': { name: 'club', ...config?.['[[apps]]'] } },
        more: isDuring ? gateway(ports.club) : '',
      })
      backEnd = club({ ...old, yaopai: withYaopai(server, isDuring) })
      if (!isDuring) await startNginx(processes, folder, { ports: { ...ports, shop: ports.club }, routes: ROUTES })
      Object.assign(running, { admin: { url: server.url, key: server.key, call: server.call } })
    }
    const port = isBefore ? ports.front : ports.club
    await new Promise((resolve, reject) => backEnd.once('error', reject).listen({ port, host: '127.0.0.1', backlog }, resolve))
    return running
  } catch (error) {
    await stop()
    throw error
  }
}

/** What each team has written once: the code for the openid. */
async function exchange(wechat, code) {
  const query = new URLSearchParams({ appid: APPID, secret: APP_SECRET, js_code: code, grant_type: 'authorization_code' })
  const answer = JSON.parse(await (await fetch(`${wechat}/sns/jscode2session?${query}`)).text())
  if (!answer.openid) throw new Error(`WeChat: ${answer.errcode} ${answer.errmsg}`)
  return answer.openid
}

async function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { port: { type: 'string', default: '8480' } } })
  const [state] = positionals
  if (!['before', 'during', 'after'].includes(state)) throw new Error('before, during or after?')
  const running = await startClub(state, { ports: { front: Number(values.port) } })
  console.log(`
The club, ${state} the move: ${running.url}
WeChat, simulated:  ${running.sim.url} (control token: ${running.sim.token})
${running.admin ? `Yaopai, admin:      ${running.admin.url} (API key: ${running.admin.key})\n` : ''}
Open examples/old-miniprogram/${state} in WeChat DevTools. Ctrl-C stops everything.`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
