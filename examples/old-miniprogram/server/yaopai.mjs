// What moving adds to the back end. All else stays as it is.

import { Webhook } from '../../miniprogram/server/webhook.mjs'

/**
 * `call` is a call of Yaopai's admin API, `secret` the webhook's. `isMoving`: some come as they always did, and what Yaopai doesn't
 * name is theirs. (Only it or whoever may speak for it reaches this back end.)
 */
export function withYaopai({ call, secret }, isMoving = false) {
  return {
    /** Who asks, from the headers that the proxy has overwritten. A session of another person's is not gone on with. */
    identify(session, { headers }, members, open) {
      if (isMoving && headers['yaopai-session-id'] === undefined) {
        // Who has bound over there and gone back comes with the session of before, which knows a guest.
        if (session.openid !== undefined) session.user ??= members.byOpenid(session.openid)?.id
        return session
      }
      const openid = decodeURIComponent(headers['yaopai-openid'] ?? '') || undefined
      const id = decodeURIComponent(headers['yaopai-user'] ?? '')
      const own = session.openid === undefined || session.openid === openid ? session : open()
      return Object.assign(own, { openid, user: id === '' ? undefined : Number(id), isYaopais: true })
    },

    /**
     * The bind page goes on asking the back end; this tells Yaopai, and the running session is the member's from then on. Who binds as
     * of old may be logging in over there at the same time; whom Yaopai has never seen it asks about when it does.
     */
    async bound({ openid, user, isYaopais }) {
      try {
        await call('POST', 'bindings', { app: 'club', openid, user })
      } catch (error) {
        if (isYaopais || error.status !== 404) throw error
      }
    },

    /** Whom the members' table has bound already needs no bind page. */
    webhook: (members, request, response, body) => new Webhook(secret, members).answer(request, response, body),
  }
}
