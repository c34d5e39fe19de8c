// `yaopai sim` as a process.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const PATIENCE = 20_000

/** `binary` is the path of yaopai. Answers `{ url, token, call, stop }`. */
export async function startSim(binary, args = []) {
  const sim = spawn(binary, ['sim', '--listen', '127.0.0.1:0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise(done => sim.once('close', done))
  const found = {}
  await new Promise((done, failed) => {
    sim.once('error', failed)
    ended.then(status => failed(new Error(`yaopai sim ended with ${status}`)))
    const timer = setTimeout(() => failed(new Error('yaopai sim printed no control token')), PATIENCE)
    createInterface({ input: sim.stdout }).on('line', line => {
      found.url ??= /: (http:\/\/\S+)$/.exec(line)?.[1]
      found.token ??= /^control token: (\S+)$/.exec(line)?.[1]
      if (found.url && found.token) {
        clearTimeout(timer)
        done()
      }
    })
  })
  const call = async (method, path, body) => {
    const answer = await fetch(`${found.url}/_sim/${path}`, { method, headers: { authorization: `Bearer ${found.token}` }, body: body && JSON.stringify(body) })
    return answer.status === 204 ? undefined : answer.json()
  }
  const stop = async () => {
    sim.kill('SIGTERM')
    await ended
  }
  return { ...found, call, stop }
}
