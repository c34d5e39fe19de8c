// What must never happen, looked at from the first request to the last.

import assert from 'node:assert/strict'

/** What the simulated WeChat and the shop hold, and no answer may show as a whole. */
const SECRETS = ['0123456789abcdef0123456789abcdef', 'whsec_', '13800138004', '13800138005']
const TOKEN = /yp1_[A-Za-z0-9_-]{30,}/
const SIGNATURE = /yaopai=:[A-Za-z0-9+/]{30,}/
/** A code of wx.login or a session_key as the simulator makes them: long, and cut to its two ends in whatever we are shown. */
const NAMED = /"(?:js_code|session_key|code|bind_code|encrypted_data|request_id|password|secret)":"([^"]*)"/g

/** Watches a page; the faults it has found are told by `end`. */
export function watch(page, address) {
  const faults = []
  const origin = new URL(address).origin
  const reading = []
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`)
  })
  page.on('pageerror', error => faults.push(`error: ${error}`))
  page.on('request', request => {
    if (new URL(request.url()).origin !== origin) faults.push(`a request to ${request.url()}`)
  })
  page.on('requestfailed', request => {
    // What was under way when the page was left.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED') faults.push(`${request.url()}: ${request.failure()?.errorText}`)
  })
  page.on('response', response => {
    if (response.status() >= 400) faults.push(`${response.url()}: ${response.status()}`)
    if (!response.headers()['content-security-policy']?.startsWith("default-src 'none'")) faults.push(`${response.url()}: no policy`)
    if (/\/(state|act)\b/.test(response.url())) reading.push(response.text().then(text => faults.push(...leaks(text)), () => {}))
  })
  return {
    async end() {
      await Promise.all(reading)
      assert.ok(reading.length > 20, `only ${reading.length} answers were looked at`)
      assert.deepEqual([...new Set(faults)], [])
    },
  }
}

/** Whole secrets in an answer. The people's passwords are told to whoever sits before the demo, and stand in one place. */
function leaks(text) {
  const state = JSON.parse(text)
  const passwords = (state.view.people ?? []).map(person => person.password)
  const entries = JSON.stringify(state.entries)
  const found = [...SECRETS, ...passwords].filter(secret => entries.includes(secret)).map(secret => `shown: ${secret}`)
  if (TOKEN.test(text)) found.push('a whole token is shown')
  if (SIGNATURE.test(text)) found.push('a whole signature is shown')
  for (const [, value] of entries.matchAll(NAMED)) {
    // A refusal's code is a word, and no secret.
    if (value.length > 20 && !/^[a-z_]+$/.test(value)) found.push(`shown: ${value}`)
  }
  return found
}
