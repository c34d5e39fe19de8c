// A shop as it was before mini programs: who somebody is, and what is in their cart, stands in express-session's session.
//
//   YAOPAI_WEBHOOK_SECRET=whsec_… PORT=8080 npm start

import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import express from 'express'
import session from 'express-session'
import { yaopai } from './yaopai.mjs'

const app = express()
app.disable('x-powered-by')
app.use(session({ secret: randomBytes(32).toString('hex'), resave: false, saveUninitialized: true }))

app.use('/hooks/yaopai', yaopai(process.env.YAOPAI_WEBHOOK_SECRET))

const cart = ({ session }) => ({ items: session.cart ?? [], user: session.user ?? null })

app.get('/cart', (request, response) => response.json(cart(request)))

app.post('/cart/:item', (request, response) => {
  request.session.cart = [...cart(request).items, request.params.item]
  response.json(cart(request))
})

app.get('/account', ({ session }, response) =>
  session.user ? response.json({ user: session.user }) : response.status(401).json({ error: 'log in first' }))

// What careful back ends do after a login: the same session under a new id.
app.post('/renew', async (request, response) => {
  const { cart: items, user } = request.session
  await promisify(request.session.regenerate.bind(request.session))()
  Object.assign(request.session, { cart: items, user })
  response.json(cart(request))
})

const server = app.listen(process.env.PORT ?? 8080, '127.0.0.1', error => {
  if (error) throw error
  console.log(`listening on ${server.address().port}`)
})
