import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { yaopaiProgram } from '../../examples/miniprogram/server/run.mjs'
import { Processes, answers, freePorts } from '../../examples/miniprogram/server/stack/processes.mjs'
import { startServer } from '../../examples/miniprogram/server/stack/server.mjs'
import { startSimulator } from '../../examples/miniprogram/server/stack/simulator.mjs'
import { BACK_ENDS } from './back-ends.mjs'
import { Client } from './client.mjs'

/** What the gateway is told: all of the shop needs a session, and its cookies are kept (which is the default). */
const gateway = port => `
[[upstreams]]
name = "shop"
urls = ["http://127.0.0.1:${port}"]

[[routes]]
prefix = "/"
upstream = "shop"
check = "require=session"
`

/** A simulated WeChat with so many people, Yaopai with its gateway, and a back end of that kind behind it. */
export async function startStack(kind, people) {
  const [open, check, admin, wechatPort, shop] = await freePorts(5)
  const folder = mkdtempSync(join(tmpdir(), `yaopai-${kind}-`))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const processes = new Processes(remove)
  const stop = async () => {
    await processes.stop()
    remove()
  }
  try {
    const yaopai = yaopaiProgram()
    const accounts = Array.from({ length: people }, (_, n) => ({ account: `person-${n}` }))
    const wechat = await startSimulator(processes, folder, { yaopai, port: wechatPort, people: accounts })
    const server = await startServer(processes, folder, {
      yaopai,
      ports: { public: open, check, admin },
      wechat: wechat.url,
      hook: `http://127.0.0.1:${shop}/hooks/yaopai`,
      // All of them come from this one machine.
      config: { '[[apps]]': { keyed: 'off' }, '[limits]': { logins_per_network: 0, binds_per_network: 0 } },
      more: gateway(shop),
    })
    const { program, args, cwd, env } = BACK_ENDS[kind](shop)
    const options = { cwd, env: { ...process.env, ...env, YAOPAI_WEBHOOK_SECRET: server.secret } }
    await processes.start(kind, program, args, options, answers(`http://127.0.0.1:${shop}/cart`))
    return { client: n => new Client(server.public, () => wechat.code(`person-${n}`)), server, shop: `http://127.0.0.1:${shop}`, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
