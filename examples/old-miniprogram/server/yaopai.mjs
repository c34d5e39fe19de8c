// What moving adds to the back end. All else stays as it is.

import { Webhook } from '../../miniprogram/server/webhook.mjs'

/** `call` is a call of Yaopai's admin API, `secret` the webhook's. */
export function withYaopai({ call, secret }) {
  return {
    /** Who asks, from the headers that nginx has overwritten. A session of another person's is not gone on with. */
    identify(session, { headers }, open) {
      const openid = decodeURIComponent(headers['yaopai-openid'] ?? '') || undefined
      const id = decodeURIComponent(headers['yaopai-user'] ?? '')
      const own = session.openid === undefined || session.openid === openid ? session : open()
      return Object.assign(own, { openid, user: id === '' ? undefined : Number(id) })
    },

    /** The bind page goes on asking the back end; this tells Yaopai, and the running session is the member's from then on. */
    bound: ({ openid, user }) => call('POST', 'bindings', { app: 'club', openid, user }),

    /** Whom the members' table has bound already needs no bind page. */
    webhook: (members, request, response, body) => new Webhook(secret, members).answer(request, response, body),
  }
}
