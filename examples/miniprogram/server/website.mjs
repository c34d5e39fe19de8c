// The shop's website, for a computer. Whoever signs in there is shown a bind code for their phone.

import { createServer } from 'node:http'
import { masked } from './accounts.mjs'
import { qrSvg } from './qr.mjs'

const page = (title, main) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f6f3ec; color: #24211c; font: 15px/1.6 system-ui, "Noto Sans CJK SC", sans-serif }
main { width: min(360px, 86vw); padding: 32px; border: 1px solid #e1dacc; border-radius: 20px; background: #fffdf8; text-align: center }
h1 { margin: 0; font-size: 20px } p { margin: 6px 0; color: #655f54 }
svg { display: block; width: 208px; margin: 20px auto 0; border-radius: 12px }
svg path + path { fill: #24211c }
code { display: block; margin: 12px 0 20px; font-size: 15px; word-break: break-all }
</style><main>${main}</main></html>`

const escaped = text => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`)

/** `bindCode(user, masked)` has Yaopai make a code: `POST /admin/v1/bind-codes`. */
export function website({ accounts, bindCode }) {
  // HTTP Basic keeps the example short; yours has a login of its own.
  const signedIn = request => {
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')
    const [account, ...password] = Buffer.from(basic?.[1] ?? '', 'base64').toString().split(':')
    return accounts.byPassword(account, password.join(':'))
  }

  const serve = async (request, response) => {
    const send = (status, title, main, headers) =>
      response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store', ...headers }).end(page(title, main))
    if (request.method !== 'GET' || request.url !== '/website') return send(404, 'Not found', '<h1>Not found / 没有这个页面</h1>')
    const user = signedIn(request)
    if (!user) return send(401, 'Sign in', '<h1>Sign in / 请登录</h1>', { 'WWW-Authenticate': 'Basic realm="shop", charset="UTF-8"' })
    const { bind_code: code, expires_in: seconds } = await bindCode(user.id, masked(user.account))
    send(200, 'Your account', `<h1>${escaped(user.name)}</h1><p>${escaped(user.account)}</p>${qrSvg(code)}<code>${escaped(code)}</code>
<p>Scan or enter this code in the mini program to link your WeChat account. Good once, for ${seconds / 60} minutes; show it to nobody.</p>
<p>在小程序里扫描或输入此码，即可关联微信。${seconds / 60} 分钟内有效，只能用一次，不要给别人看。</p>`)
  }

  return createServer((request, response) => {
    serve(request, response).catch(error => {
      console.error('website:', error.message)
      response.writeHead(503).end()
    })
  })
}
