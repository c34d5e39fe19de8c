// The club, before or after the move, with a simulated WeChat:
//
//   node server/run.mjs before|after [--port 8480]

import { mkdtempSync, rmSync } from 'node:fs'
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

/** `state` is 'before' or 'after'; `ports` as in the new example; `known` is bound from the start. */
export async function startClub(state, { ports: wanted = {}, known = 'xiaoming', config } = {}) {
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
    const sim = await startSimulator(processes, folder, { yaopai, port: ports.sim, people: PEOPLE })
    const members = new Accounts()
    members.byAccount(known).openid = await sim.openid(known)
    const running = { url: `http://127.0.0.1:${ports.front}`, ports, sim, stop }
    if (state === 'before') {
      backEnd = club({ members, exchange: code => exchange(sim.url, code) })
    } else {
      const hook = `http://127.0.0.1:${ports.club}/yaopai-webhook`
      const server = await startServer(processes, folder, { yaopai, ports, wechat: sim.url, hook, config: { '[[apps]]': { name: 'club' }, ...config } })
      backEnd = club({ members, yaopai: withYaopai(server) })
      await startNginx(processes, folder, { ports: { ...ports, shop: ports.club }, routes: ROUTES })
      Object.assign(running, { admin: { url: server.url, key: server.key, call: server.call } })
    }
    const port = state === 'before' ? ports.front : ports.club
    await new Promise((resolve, reject) => backEnd.once('error', reject).listen(port, '127.0.0.1', resolve))
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
  if (state !== 'before' && state !== 'after') throw new Error('before or after?')
  const running = await startClub(state, { ports: { front: Number(values.port) } })
  console.log(`
The club, ${state} the move: ${running.url}
WeChat, simulated:  ${running.sim.url} (control token: ${running.sim.token})

Open examples/old-miniprogram/${state} in WeChat DevTools. Ctrl-C stops everything.`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
