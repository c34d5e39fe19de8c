// Everything that the mini program needs, on this machine: a simulated WeChat, Yaopai, nginx, the shop and its website.
//
//   node server/run.mjs [--port 8443] [--website 8090]

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Accounts, PEOPLE, masked } from './accounts.mjs'
import { Orders } from './orders.mjs'
import { HOOK, shop } from './shop.mjs'
import { startNginx } from './stack/nginx.mjs'
import { Processes, freePorts, program } from './stack/processes.mjs'
import { startServer } from './stack/server.mjs'
import { startSimulator } from './stack/simulator.mjs'
import { Webhook } from './webhook.mjs'
import { website } from './website.mjs'

const TARGET = fileURLToPath(new URL('../../../target/', import.meta.url))
const PLACES = ['front', 'website', 'shop', 'public', 'check', 'admin', 'sim']

const listen = (server, port) => new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
const close = server => new Promise(done => { server.close(done); server.closeAllConnections() })

/** `YAOPAI` names the program; else it is looked for in PATH and where cargo puts it. */
export const yaopaiProgram = () =>
  process.env.YAOPAI || program('yaopai', ['release', 'debug'].map(kind => join(TARGET, kind)), 'run `cargo build`, or set YAOPAI=/path/to/yaopai')

/**
 * Starts everything. All options may be left out:
 * `ports`   `{ front, website, shop, public, check, admin, sim }`; a free one for each that isn't named
 * `idle`, `refresh`, `absolute`   seconds of a session's life
 * `vouched` how old WeChat's word may be for who pays, in seconds (300)
 * `known`   whose WeChat account the shop's table has from the start (xiaoming; null for nobody)
 * `config`  further changes to yaopai.toml: `{ '[[apps]]': { keyed: 'offered' } }`
 * `sim`     further lines for the head of the simulator's configuration
 */
export async function startShop({ ports: wanted = {}, idle, refresh, absolute, vouched = 300, known = 'xiaoming', config = {}, sim: simulated } = {}) {
  const yaopai = yaopaiProgram()
  const free = await freePorts(PLACES.length)
  const ports = Object.fromEntries(PLACES.map((place, n) => [place, wanted[place] ?? free[n]]))
  const folder = mkdtempSync(join(tmpdir(), 'yaopai-shop-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const processes = new Processes(remove)
  const servers = []
  const stop = async () => {
    await processes.stop()
    await Promise.all(servers.splice(0).map(close))
    remove()
  }
  try {
    const sim = await startSimulator(processes, folder, { yaopai, port: ports.sim, people: PEOPLE, extra: simulated })
    const life = Object.entries({ idle, refresh_after: refresh, absolute }).filter(([, seconds]) => seconds !== undefined)
    const server = await startServer(processes, folder, {
      yaopai,
      ports,
      wechat: sim.url,
      hook: `http://127.0.0.1:${ports.shop}${HOOK}`,
      config: { ...config, '[apps.sessions]': { ...Object.fromEntries(life), ...config['[apps.sessions]'] } },
    })
    const accounts = new Accounts()
    if (known) accounts.byAccount(known).openid = await sim.openid(known)
    const backEnd = shop({ accounts, orders: new Orders(), webhook: new Webhook(server.secret, accounts) })
    const bindCode = (user, masked) => server.call('POST', 'bind-codes', { user, masked, app: 'shop' })
    const site = website({ accounts, bindCode })
    await listen(backEnd, ports.shop)
    servers.push(backEnd)
    await listen(site, ports.website)
    servers.push(site)
    await startNginx(processes, folder, { ports, vouched })
    return {
      /** What `server` in config.js is set to. */
      url: `http://127.0.0.1:${ports.front}`,
      website: `http://127.0.0.1:${ports.website}/website`,
      ports,
      sim,
      accounts,
      admin: { url: server.url, key: server.key, call: server.call },
      /** Ends one session. */
      kick: session => server.call('DELETE', `sessions/${session}`),
      /** The sessions that live, of one user or of all. */
      sessions: async user => (await server.call('GET', `sessions${user === undefined ? '' : `?user=${user}`}`)).sessions,
      audit: async (after = 0) => (await server.call('GET', `audit?limit=200&after=${after}`)).events,
      /** A bind code, as the website shows it. */
      bindCode: async account => (await bindCode(accounts.byAccount(account).id, masked(account))).bind_code,
      restart: server.restart,
      /** What a process has said: 'yaopai', 'nginx' or 'simulator'. */
      said: name => processes.said(name),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function main() {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '8443' }, website: { type: 'string', default: '8090' } } })
  const running = await startShop({ ports: { front: Number(values.port), website: Number(values.website) } })
  const { sim } = running
  console.log(`
The shop         ${running.url}           (server in config.js)
Its website      ${running.website}   (sign in as hanmeimei, peach-27; shows a bind code)
WeChat, simulated ${sim.url}          (control token: ${sim.token})
Yaopai, admin    ${running.admin.url}          (API key: ${running.admin.key})

Open examples/miniprogram in WeChat DevTools; "Do not verify valid domain names" must be on.
People of the shop:
${PEOPLE.map(p => `  ${p.account.padEnd(10)} ${p.password.padEnd(13)} ${p.name}${p.phone ? `  ${p.phone}` : ''}`).join('\n')}

Ctrl-C stops everything.`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
