// The shop's back end. It knows nothing of WeChat's logins and keeps no sessions: who asks stands in the Yaopai-* headers,
// which nginx overwrites in every request. So it must be reachable through nginx only.

import { createServer } from 'node:http'
import { isBodyAsSigned } from './body-digest.mjs'
import { answer, parsed, read } from './http.mjs'
import { PRICES } from './orders.mjs'

/** Where Yaopai's webhook calls arrive; nginx has no route to it. */
export const HOOK = '/yaopai-webhook'

export function shop({ accounts, orders, webhook }) {
  /** The user's row, or undefined for a guest. */
  const userOf = request => {
    const id = decodeURIComponent(request.headers['yaopai-user'] ?? '')
    return id === '' ? undefined : accounts.byId(id)
  }

  // For everybody.
  const goods = (request, response) =>
    answer(response, 200, { goods: Object.keys(PRICES), prices: PRICES, user: userOf(request)?.id ?? null })

  const list = (user, response) => {
    const own = orders.of(user.id)
    // One pays for all that is open, so what is paid is the oldest so many.
    const paid = own.filter(order => order.paid).length
    answer(response, 200, { user: user.id, name: user.name, orders: own.map(order => order.item), ...(paid > 0 && { paid }) })
  }

  const order = (user, response, body) => {
    const { item } = parsed(body)
    if (typeof item !== 'string' || !Object.hasOwn(PRICES, item)) return answer(response, 400, { error: 'an order needs an item that we have' })
    if (!orders.add(user.id, item)) return answer(response, 507, { error: 'the shop is full' })
    answer(response, 201, { user: user.id, ordered: item })
  }

  // That WeChat has vouched for the user lately, nginx has made sure of.
  const pay = (user, response) => answer(response, 200, { user: user.id, paid: orders.pay(user.id) })

  // The shop forgets the WeChat account; else its table would bind it again at the next login.
  const unlink = (user, response) => {
    user.openid = null
    answer(response, 200, { user: user.id, linked: false })
  }

  const forUsers = { 'GET /orders': list, 'POST /orders': order, 'POST /pay': pay, 'POST /unlink': unlink }

  const serve = async (request, response) => {
    const body = await read(request)
    if (body === undefined) return answer(response, 413, { error: 'the body is too large' })
    if (!isBodyAsSigned(request, body)) return answer(response, 400, { error: 'the body is not the one that was signed' })
    const route = `${request.method} ${request.url.split('?')[0]}`
    if (route === `POST ${HOOK}`) return webhook.answer(request, response, body)
    if (route === 'GET /goods') return goods(request, response)
    if (!Object.hasOwn(forUsers, route)) return answer(response, 404, { error: 'no such page' })
    const user = userOf(request)
    if (!user) return answer(response, 403, { error: 'nginx named no user' })
    forUsers[route](user, response, body)
  }

  return createServer((request, response) => {
    serve(request, response).catch(error => {
      console.error('shop:', error.message)
      if (!response.headersSent) answer(response, 500, { error: 'the shop has stumbled' })
    })
  })
}
