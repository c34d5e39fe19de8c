import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const APPID = 'wx0123456789abcdef'
export const APP_SECRET = '0123456789abcdef0123456789abcdef'

/** WeChat on this machine, with these people (`{ account, phone? }`). All that it can do: crates/yaopai-sim/README.md. */
export async function startSimulator(processes, folder, { yaopai, port, people, extra = '' }) {
  const token = randomBytes(16).toString('hex')
  const users = people.map(({ account, phone }) => `\n[[users]]\nname = "${account}"\n${phone ? `phone = "${phone}"\n` : ''}`)
  writeFileSync(join(folder, 'sim.toml'), `listen = "127.0.0.1:${port}"\ncontrol_token = "${token}"
mock_code_user = "${people[0].account}"
${extra}
[[apps]]\nappid = "${APPID}"\nsecret = "${APP_SECRET}"\nopen_platform = "default"
${users.join('')}`)
  await processes.start('simulator', yaopai, ['sim', '--config', join(folder, 'sim.toml')], {}, said => (said.includes('users:') ? true : undefined))
  const url = `http://127.0.0.1:${port}`

  /** `POST /_sim/{path}` unless told otherwise. */
  const control = async (path, body, method = body === undefined ? 'GET' : 'POST') => {
    const response = await fetch(`${url}/_sim/${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`simulator, ${path}: ${response.status} ${text}`)
    return text ? JSON.parse(text) : undefined
  }

  return {
    url,
    token,
    control,
    /** What `wx.login` would give on that person's phone. */
    code: async user => (await control('code', { user })).code,
    /** What the phone button would give. */
    phoneCode: async user => (await control('phone-code', { user })).code,
    openid: async user => (await control(`users/${user}`)).openids[APPID],
    rotateSessionKey: user => control('session-key', { user, action: 'rotate' }),
    counters: () => control('counters'),
  }
}
