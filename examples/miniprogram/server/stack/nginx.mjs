import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { program } from './processes.mjs'

const EXAMPLE = new URL('../../../nginx/nginx.conf', import.meta.url)

/** The shop's own routes, in place of the example's. `vouched`: how old WeChat's word may be for who pays, in seconds. */
const routes = vouched => `
        location / { return 404; }
        location = /goods { set $yaopai_ask "require=open"; proxy_pass http://shop; }
        location = /orders { proxy_pass http://shop; }
        location = /unlink { proxy_pass http://shop; }
        location = /pay { set $yaopai_ask "vouched=${vouched}"; proxy_pass http://shop; }

        `

/** examples/nginx/nginx.conf with these ports and our routes. All else is as it stands there. */
export function nginxConfig({ ports, routes: own }) {
  let config = readFileSync(EXAMPLE, 'utf8')
  const put = (part, text) => {
    const pieces = config.split(part)
    if (pieces.length !== 2) throw new Error(`${EXAMPLE.pathname} no longer has one: ${part}`)
    config = pieces.join(text)
  }
  const local = port => `127.0.0.1:${port}`
  put(local(9701), local(ports.check))
  put(local(9700), local(ports.public))
  put(local(8080), local(ports.shop))
  put(local(8443), local(ports.front))
  const [from, to] = ['# ---- The routes\n', 'location /yaopai/ {'].map(mark => config.indexOf(mark))
  if (from < 0 || to < from) throw new Error(`${EXAMPLE.pathname} no longer has its routes between the two marks`)
  put(config.slice(from, to), own)
  return config
}

/** In front of the server and the shop. */
export async function startNginx(processes, folder, { ports, vouched, routes: own = routes(vouched) }) {
  writeFileSync(join(folder, 'nginx.conf'), nginxConfig({ ports, routes: own }))
  // It lives in sbin, which is not in everybody's PATH.
  const file = program('nginx', ['/usr/sbin', '/sbin', '/usr/local/sbin', '/opt/homebrew/bin'], 'install it (apt install nginx, brew install nginx)')
  // One process, so that nothing is left when it is killed.
  const args = ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'master_process off;']
  await processes.start('nginx', file, args, {}, () => listens(ports.front))
}

const listens = port => new Promise(resolve => {
  const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true) })
  socket.on('error', () => resolve(undefined))
})
