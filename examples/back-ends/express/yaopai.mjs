// All that this shop had to learn about Yaopai: its three questions (docs/api.md, "The webhook").

import express from 'express'
import { Webhook } from 'standardwebhooks'

/** Answers the webhook. `secret`: what webhook.secret holds. */
export function yaopai(secret) {
  if (!secret) throw new Error('YAOPAI_WEBHOOK_SECRET is not set: it is what webhook.secret holds')
  const webhook = new Webhook(secret.trim())
  return [express.raw({ type: '*/*' }), (request, response) => {
    let call
    try {
      call = webhook.verify(request.body, request.headers)
    } catch {
      return response.status(401).json({ error: 'the signature is wrong' })
    }
    const { type, data } = call
    if (type === 'opened') {
      // This call has a session of its own. Log it in as your login page does: its cookie goes back with the answer, and Yaopai shows it
      // with every request of that mini program's session.
      request.session.user = data.user
      return response.json({})
    }
    if (type === 'resolve') return response.json({ user: null }) // Ask your table of bound accounts here, if you have one.
    if (type === 'bind') {
      const user = login(data.form ?? {})
      return response.json(user ? { user } : { user: null, message: 'Wrong account or password.' })
    }
    return response.status(400).json({ error: 'unknown type' })
  }]
}

/** Your own: the password that its form asks for. Here demo-1, demo-2 … are customers, and all use the same. */
const login = ({ account, password }) => (/^demo-\d{1,6}$/.test(account) && password === 'tea' ? account : undefined)
