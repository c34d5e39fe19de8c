// The club's back end as it has been for years: what somebody has chosen lies in a session with a JSESSIONID, answers are
// 200 with an errno, and WeChat accounts are bound in a column of the members' table.

import { createServer } from 'node:http'
import { Accounts } from '../../miniprogram/server/accounts.mjs'
import { isBodyAsSigned } from '../../miniprogram/server/body-digest.mjs'
import { answer, parsed, read } from '../../miniprogram/server/http.mjs'
import { Sessions } from './sessions.mjs'

const COURSES = [
  { id: 1, name: '太极拳', when: '周一 19:00' },
  { id: 2, name: '国画', when: '周三 18:30' },
  { id: 3, name: '围棋', when: '周六 10:00' },
]
const CART_MAX = 20

const NOT_LOGGED_IN = { errno: 501, errmsg: '请登录' }
const NOT_BOUND = { errno: 502, errmsg: '请先绑定会员' }
const WRONG = { errno: 503, errmsg: '账号或密码错误' }

/**
 * `exchange(code)` asks WeChat for the openid. `yaopai` is what moving adds (yaopai.mjs): who asks comes in headers then, and
 * neither `/login` nor `/refresh` is called any more, or by those only who haven't moved. `carts`: a map from openids to carts, for a
 * club that keeps one for each person and not for each session. `now`: the clock, in milliseconds.
 */
export function club({ members = new Accounts(), exchange, yaopai, carts, now }) {
  const sessions = new Sessions(now)
  const booked = new Map()

  const ownCart = session => {
    if (!carts || session.openid === undefined) return
    session.cart = carts.get(session.openid) ?? []
    carts.set(session.openid, session.cart)
  }

  const routes = {
    'POST /login': async ({ session, body, response }) => {
      session.openid = await exchange(body.code)
      session.user = members.byOpenid(session.openid)?.id
      ownCart(session)
      answer(response, 200, { errno: 0, bound: session.user !== undefined })
    },
    'GET /refresh': ({ response }) => answer(response, 200, { errno: 0 }),
    'GET /courses': ({ response }) => answer(response, 200, { errno: 0, courses: COURSES }),
    'POST /cart': ({ session, body, response }) => {
      const course = COURSES.find(each => each.id === body.course)
      if (course && !session.cart.includes(course) && session.cart.length < CART_MAX) session.cart.push(course)
      answer(response, 200, { errno: 0 })
    },
    'GET /mine': ({ session, response }) => {
      const member = members.byId(session.user)
      answer(response, 200, { errno: 0, name: member?.name ?? '', cart: session.cart, booked: booked.get(session.user) ?? [] })
    },
    'POST /bookings': ({ session, response }) => {
      if (session.user === undefined) return answer(response, 200, NOT_BOUND)
      booked.set(session.user, [...(booked.get(session.user) ?? []), ...session.cart.splice(0)])
      answer(response, 200, { errno: 0 })
    },
    'POST /bind': async ({ session, body, response }) => {
      const member = members.byPassword(body.account, body.password)
      if (!member || (member.openid !== null && member.openid !== session.openid)) return answer(response, 200, WRONG)
      member.openid = session.openid
      session.user = member.id
      await yaopai?.bound(session)
      answer(response, 200, { errno: 0 })
    },
  }

  const serve = async (request, response) => {
    const body = await read(request)
    if (body === undefined) return answer(response, 413, { errno: 413 })
    const route = `${request.method} ${request.url.split('?')[0]}`
    if (yaopai && !isBodyAsSigned(request, body)) return answer(response, 400, { errno: 400 })
    if (yaopai && route === 'POST /yaopai-webhook') return yaopai.webhook(members, request, response, body)
    if (!Object.hasOwn(routes, route)) return answer(response, 404, { errno: 404 })
    let session = sessions.of(request, response)
    if (yaopai) session = yaopai.identify(session, request, members, () => sessions.open(response))
    ownCart(session)
    if (session.openid === undefined && route !== 'POST /login') return answer(response, 200, NOT_LOGGED_IN)
    await routes[route]({ session, body: parsed(body), response })
  }

  return createServer((request, response) => {
    serve(request, response).catch(error => {
      console.error('club:', error.message)
      if (!response.headersSent) answer(response, 500, { errno: 500 })
    })
  })
}
