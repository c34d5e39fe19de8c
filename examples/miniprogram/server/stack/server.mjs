import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answers } from './processes.mjs'
import { APPID, APP_SECRET } from './simulator.mjs'

/** Sets a key of a section of `yaopai.toml`, which `init` has written with every key in it, mostly commented out. */
export function set(text, section, key, value) {
  const lines = text.split('\n')
  const start = section === '' ? -1 : lines.findIndex(line => line.replace(/^# ?/, '') === section)
  const end = lines.findIndex((line, n) => n > start && /^\[/.test(line))
  const last = end < 0 ? lines.length : end
  const at = lines.findIndex((line, n) => n > start && n < last && new RegExp(`^(# ?)?${key} *=`).test(line))
  if ((section !== '' && start < 0) || at < 0) throw new Error(`yaopai.toml has no ${section} ${key}`)
  lines[at] = `${key} = ${typeof value === 'string' ? JSON.stringify(value) : value}`
  return lines.join('\n')
}

/** Yaopai itself, as `yaopai init` sets it up, with these changes: `config` is `{ '[apps.sessions]': { idle: 60 } }`,
 * `more` what is added at the end. */
export async function startServer(processes, folder, { yaopai, ports, wechat, hook, config = {}, more = '', env = {} }) {
  const told = execFileSync(yaopai, ['init', folder], { encoding: 'utf8' })
  const key = /^ {2}(yk_\S+)$/m.exec(told)[1]
  const file = join(folder, 'yaopai.toml')
  let text = readFileSync(file, 'utf8')
  const sections = {
    '': { development: true },
    '[listen]': { public: `127.0.0.1:${ports.public}`, check: `127.0.0.1:${ports.check}`, admin: `127.0.0.1:${ports.admin}` },
    '[[apps]]': { appid: APPID, base_url: wechat, account_field: 'account' },
    '[apps.webhook]': { url: hook },
  }
  for (const changes of [sections, config]) {
    for (const [section, keys] of Object.entries(changes)) {
      for (const [name, value] of Object.entries(keys)) text = set(text, section, name, value)
    }
  }
  writeFileSync(file, text + more)
  const url = `http://127.0.0.1:${ports.admin}`
  const start = () => processes.start('yaopai', yaopai, ['serve', '--config', file], { env: { ...process.env, ...env, SHOP_APP_SECRET: APP_SECRET } }, answers(`${url}/readyz`))
  await start()

  /** A call of the admin API. */
  const call = async (method, path, body) => {
    const response = await fetch(`${url}/admin/v1/${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const answer = await response.text()
    if (!response.ok) throw Object.assign(new Error(`${method} ${path}: ${response.status} ${answer}`), { status: response.status })
    return answer ? JSON.parse(answer) : undefined
  }

  return {
    url,
    key,
    call,
    public: `http://127.0.0.1:${ports.public}`,
    secret: readFileSync(join(folder, 'webhook.secret'), 'utf8'),
    restart: async () => {
      await processes.stop('yaopai')
      await start()
    },
  }
}
