// The server's side of docs/api.md and docs/signatures.md, written from them with Node's own crypto: logins, signed requests,
// refreshes, binds, refusals. Not the real one's code; tests/real asks that.
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto'

const HOST = 'shop.example'
const digest = body => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`

export class Server {
  constructor(clock, { keyed = true, skew = 0, binding = true } = {}) {
    Object.assign(this, { clock, keyed, skew, binding })
    this.sessions = new Map()
    this.codes = new Map()
    this.answers = new Map()
    this.nonces = new Set()
    this.users = new Map()
    this.binders = { alice: 's3cret', bob: 'hunter2' }
    this.refusals = []
    this.log = []
    this.tickets = new Map()
    this.idle = 1800
    this.needs = {}
    this.wechat = undefined
    // What answers requests of the old program; undefined: nobody, and they are judged as all are.
    this.legacy = undefined
    this.bindCalls = 0
    // Who is on the legacy side of a move, and after how many seconds the server wants to be asked again.
    this.stayers = new Set()
    this.askAgain = 3600
    this.backEnd = () => ({ status: 200, body: { ok: true } })
  }

  now() {
    return this.clock.time + this.skew
  }

  /** The next request whose URL matches is refused so. */
  refuse(match, code, status, more = {}) {
    this.refusals.push({ match, code, status, ...more })
  }

  code(person = 'xiaoming') {
    const code = randomBytes(8).toString('hex')
    this.codes.set(code, { person, used: false })
    return code
  }

  refusal(code, status, { retry, message, header } = {}) {
    const headers = { 'Yaopai-Code': code, 'Yaopai-Time': new Date(this.now()).toISOString(), 'Content-Type': 'application/problem+json' }
    if (retry !== undefined) headers['Retry-After'] = String(retry)
    return { status, headers: { ...headers, ...header }, body: { code, status, message } }
  }

  handle({ method, url, headers, body }) {
    const u = new URL(url)
    const h = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v]))
    this.log.push({ method, url, headers: h, body })
    const i = this.refusals.findIndex(r => (r.match instanceof RegExp ? r.match.test(url) : url.includes(r.match)))
    const scripted = i >= 0 && !this.refusals[i].afterCheck && this.refusals.splice(i, 1)[0]
    if (scripted) return scripted.answer || this.refusal(scripted.code, scripted.status, scripted)
    const api = u.pathname.startsWith('/yaopai/v1') ? u.pathname.slice(10) : undefined
    if (api === '/session' && method === 'POST') return this.login(JSON.parse(body))
    if (this.isLegacy(api, h)) return this.legacy({ method, url: u, headers: h, body })
    const session = this.check({ method, url: u, h, body: body || '' })
    if (session.refused) return session.refused
    if (api === undefined) {
      const late = this.refusals.findIndex(r => r.afterCheck && url.includes(r.match))
      if (late >= 0) {
        const r = this.refusals.splice(late, 1)[0]
        return this.refusal(r.code, r.status, r)
      }
      if (this.needs.vouched && this.now() - session.vouched > this.needs.vouched * 1000) return this.refusal('login_required', 401)
      if (this.needs.bound && !session.user) return this.refusal('not_bound', 403)
      const answer = this.backEnd({ method, url: u, headers: h, body, session })
      if (session.tellBound) answer.headers = { ...answer.headers, 'Yaopai-Bound': '1' }
      return answer
    }
    return this.call(method, api, body ? JSON.parse(body) : {}, session)
  }

  /** Docs/gateway.md, `[legacy]`: nothing of ours, and the cookie of old. */
  isLegacy(api, h) {
    return api === undefined && this.legacy && !h.authorization && !h['signature-input'] && /JSESSIONID=/.test(h.cookie || '')
  }

  object(s, more = {}) {
    return {
      session_id: s.id, expires_in: this.idle, refresh_in: 1200, absolute_expires_in: 604800, bound: !!s.user,
      ...(s.user ? { user: s.user, claims: { roles: ['buyer'] } } : {}),
      vouched_at: new Date(s.vouched).toISOString(), server_time: new Date(this.now()).toISOString(), ...more,
    }
  }

  login({ app, code, request_id, key }) {
    const known = this.codes.get(code)
    const again = this.answers.get(code)
    if (again && again.id === request_id) return again.answer
    if (app !== 'shop') return this.refusal('app_unknown', 400)
    if (!request_id || request_id.length < 22) return this.refusal('field_invalid', 400)
    if (!known) return this.refusal('code_invalid', 400)
    if (known.used) return this.refusal('code_used', 400)
    if (this.keyed ? !key : key) return this.refusal('field_invalid', 400)
    if (key && key.wechat && (!this.wechat || key.wechat.version !== this.wechat.version)) return this.refusal('login_required', 401)
    known.used = true
    if (this.stayers.has(known.person)) return this.keep(code, request_id, this.notMoved())
    const s = {
      id: randomUUID(), person: known.person, user: this.users.get(known.person), vouched: this.now(), seen: this.now(),
      tokens: new Map(), current: '', secret: key && !key.wechat ? randomBytes(32) : undefined, wechat: !!(key && key.wechat),
    }
    s.current = this.token(s, 'current')
    this.sessions.set(s.id, s)
    const given = key && { key: { alg: 'hmac-sha256', ...(s.secret ? { secret: s.secret.toString('base64') } : {}) } }
    return this.keep(code, request_id, { status: 201, body: this.object(s, { token: s.current, ...given }) })
  }

  /** The same login sent again gets the same. */
  keep(code, id, answer) {
    this.answers.set(code, { id, answer })
    return answer
  }

  notMoved() {
    return this.refusal('not_moved', 403, { retry: this.askAgain })
  }

  token(s, state) {
    const token = 'yp1_' + randomBytes(35).toString('hex')
    s.tokens.set(token, { state })
    return token
  }

  keyOf(s, version) {
    if (!s.wechat) return s.secret
    const secret = this.wechat.keys[version]
    if (!secret) return undefined
    const prk = createHmac('sha256', Buffer.alloc(32)).update(secret).digest()
    return createHmac('sha256', prk).update(`yaopai hmac-sha256 ${s.id}\x01`).digest()
  }

  check({ method, url, h, body }) {
    const no = (...args) => ({ refused: this.refusal(...args) })
    const shown = /^Bearer (yp1_\w+)$/.exec(h.authorization || '')
    const token = shown ? shown[1] : this.carrier && (h[this.carrier] || '').replace(/^.*?(yp1_\w+).*$/, '$1')
    const ticket = url.searchParams.get('yaopai_ticket')
    if (ticket) {
      const t = this.tickets.get(ticket)
      this.tickets.delete(ticket)
      return t && t.path === url.pathname && t.authority === url.host ? t.session : no('proof_invalid', 401)
    }
    if (!token) return no('session_missing', 401)
    const s = [...this.sessions.values()].find(x => x.tokens.has(token))
    if (!s) return no('session_unknown', 401)
    if (!s.ended && this.now() - s.seen > this.idle * 1000) s.ended = 'session_expired'
    if (s.ended) return no(s.ended, 401)
    if (this.keyed) {
      const proof = this.verify({ method, url, h, body, s, token })
      if (proof) return { refused: proof }
    } else {
      const code = this.rotation(s, token, url, body)
      if (code) return no(code, 401)
    }
    s.tokens.get(token).isUsed = true
    if (h['yaopai-background'] !== '1') s.seen = this.now()
    s.shown = token
    return s
  }

  /** A bearer session's tokens, by docs/api.md "Session life": why this one doesn't pass, if so. */
  rotation(s, token, url, body) {
    const { state, since, isStrict, repeats } = s.tokens.get(token)
    if (state === 'current') return undefined
    // The first use of a successor retires the rest.
    if (state === 'next') return void this.confirm(s, token, false)
    const age = this.now() - since
    if (!isStrict && age <= 30000) return undefined
    if (!url.pathname.endsWith('/session/refresh')) return 'session_superseded'
    const { request_id: id, code } = JSON.parse(body)
    // A step-up whose answer was lost: the old token gets it again for a minute, and nothing else.
    if (isStrict && repeats === id && age <= 60000) return undefined
    if (code || this.answers.has(s.id + '/session/refresh' + id) || age <= 30000) return 'session_superseded'
    return (s.ended = 'session_reused')
  }

  confirm(s, token, isStrict, repeats) {
    for (const [other, t] of s.tokens) if (other !== token && t.state !== 'retired') Object.assign(t, { state: 'retired', since: this.now(), isStrict, repeats })
    s.tokens.get(token).state = 'current'
    s.current = token
  }

  verify({ method, url, h, body, s, token }) {
    const input = h['signature-input']
    if (!input) return this.refusal('proof_required', 401)
    const m = /^yaopai=(\(([^)]*)\);created=(\d+);nonce="([\w-]{22,64})";keyid="([^"]+)";alg="hmac-sha256";tag="yaopai")$/.exec(input)
    if (!m) return this.refusal('proof_invalid', 401)
    const [, params, list, created, nonce, keyid] = m
    const names = list.split(' ').map(n => n.slice(1, -1))
    const want = ['@method', '@authority', '@path', '@query', ...(h.authorization ? ['authorization'] : [])]
    const isUpload = h['x-is-upload'] === '1'
    if (!/^(GET|HEAD)$/.test(method) && !isUpload) want.push('content-digest')
    if (names.slice().sort().join() !== want.slice().sort().join()) return this.refusal('proof_invalid', 401)
    const raw = /^[a-z]+:\/\/[^/?#]+([^?#]*)(\?[^#]*)?/.exec(this.log.at(-1).url)
    const value = {
      '@method': method, '@authority': url.host, '@path': raw[1] || '/', '@query': raw[2] || '?',
      authorization: h.authorization, 'content-digest': h['content-digest'],
    }
    if (value['content-digest'] && value['content-digest'] !== digest(typeof body === 'string' ? body : Buffer.from(body))) return this.refusal('proof_invalid', 401)
    const [id, version] = keyid.split('.')
    if (id !== s.id || !s.tokens.has(token)) return this.refusal('proof_invalid', 401)
    const key = this.keyOf(s, version)
    if (!key) return this.refusal('login_required', 401)
    const base = [...names.map(n => `"${n}": ${value[n]}`), `"@signature-params": ${params}`].join('\n')
    if (h.signature !== `yaopai=:${createHmac('sha256', key).update(base).digest('base64')}:`) return this.refusal('proof_invalid', 401)
    const age = this.now() / 1000 - created
    if (age > 61 || age < -6) return this.refusal('proof_stale', 401)
    if (this.nonces.has(nonce)) return this.refusal('proof_replayed', 401)
    this.nonces.add(nonce)
    return undefined
  }

  call(method, path, body, s) {
    const key = s.id + path + body.request_id
    const said = this.answers.get(key)
    if (path === '/session/refresh') {
      if (said) return said
      if (this.stayers.has(s.person)) {
        s.ended = 'session_ended'
        return this.notMoved()
      }
      if (body.code) {
        const known = this.codes.get(body.code)
        if (!known) return this.refusal('code_invalid', 400)
        if (known.used) return this.refusal('code_used', 400)
        if (known.person !== s.person) return this.refusal('identity_mismatch', 409)
        known.used = true
        s.vouched = this.now()
      }
      return this.give(s, key, body)
    }
    if (path === '/session' && method === 'GET') {
      s.tellBound = false
      return { status: 200, body: this.object(s) }
    }
    if (path === '/session' && method === 'DELETE') {
      s.ended = 'session_ended'
      return { status: 204 }
    }
    if (path === '/binding' && method === 'DELETE') {
      if (!s.user) return this.refusal('not_bound', 403)
      if (!(this.now() - s.vouched < 300000) || s.needsCode) {
        s.needsCode = false
        return this.refusal('login_required', 401)
      }
      this.users.delete(s.person)
      s.ended = 'session_revoked'
      return { status: 204 }
    }
    if (path === '/binding') {
      if (said) return said
      this.bindCalls++
      const { name, password } = body.form || {}
      const user = body.way === 'form' ? this.binders[name] === password && name : body.code === 'phone-ok' && 'alice'
      if (!user) return this.refusal('binding_rejected', 422, { message: 'Wrong name or password' })
      s.user = user
      this.users.set(s.person, user)
      return this.give(s, key, {})
    }
    if (path === '/binding/preview') return { status: 200, body: { masked: '138****8000', expires_in: 290 } }
    if (path === '/phone') return { status: 200, body: { phone: '13800138000' } }
    if (path === '/decrypt') return { status: 200, body: { nickName: 'x' } }
    if (path === '/ticket') {
      const ticket = 'yt1_' + randomBytes(8).toString('hex')
      this.tickets.set(ticket, { session: s, ...body })
      return { status: 200, body: { ticket, expires_in: 30 } }
    }
    if (path === '/sessions') return { status: 200, body: { sessions: [{ session_id: s.id, current: true, app: 'shop', device: {} }] } }
    if (path.startsWith('/sessions/')) return { status: 204 }
    return this.refusal('not_found', 404)
  }

  give(s, key, { code, request_id }) {
    let token = s.current
    if (!this.keyed) {
      token = this.token(s, 'next')
      if (code) this.confirm(s, token, true, request_id)
    }
    const answer = { status: 200, body: this.object(s, { token }) }
    this.answers.set(key, answer)
    return answer
  }

  count(match, method) {
    return this.log.filter(r => (!method || r.method === method) && (match instanceof RegExp ? match.test(r.url) : r.url.endsWith(match))).length
  }
}

export const shop = `https://${HOST}`
