// Another implementation of RFC 9421: verifies requests that the Rust code has signed, and signs some for it.
//   node signatures.mjs check < lines        node signatures.mjs make 5000
import { createHash, randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { createSigner, createVerifier, httpbis } from 'http-message-signatures'

const [what, many] = process.argv.slice(2)

async function check() {
  let verified = 0
  for await (const line of createInterface({ input: process.stdin })) {
    const { key, ...request } = JSON.parse(line)
    const verify = createVerifier(Buffer.from(key, 'hex'), 'hmac-sha256')
    // Its age is not what is asked here.
    const config = { notAfter: 2 ** 32, keyLookup: async ({ keyid }) => ({ id: keyid, algs: ['hmac-sha256'], verify }) }
    if ((await httpbis.verifyMessage(config, request)) !== true) throw new Error(`does not verify: ${line}`)
    const other = { ...request, method: request.method === 'PUT' ? 'POST' : 'PUT' }
    if ((await httpbis.verifyMessage(config, other).catch(() => false)) === true) throw new Error(`anything verifies: ${line}`)
    verified += 1
  }
  console.log(`${verified} verified`)
}

const pick = (of) => of[randomBytes(1)[0] % of.length]

async function make(many) {
  for (let n = 0; n < many; n++) {
    const key = randomBytes(32)
    const method = pick(['GET', 'POST', 'PUT', 'DELETE', 'PATCH'])
    const url = `https://${pick(['api.example.com', 'h:8443', 'x.example'])}${pick(['/', '/a/b', '/%E8%8C%B6'])}${pick(['', '?a=1', '?a=1&b=%20', '?x'])}`
    const headers = { Authorization: `Bearer yp1_${randomBytes(40).toString('base64url')}` }
    const fields = ['@method', '@authority', '@path', '@query', 'authorization']
    if (method !== 'GET') {
      headers['Content-Digest'] = `sha-256=:${createHash('sha256').update(randomBytes(9)).digest('base64')}:`
      fields.push('content-digest')
    }
    fields.sort(() => randomBytes(1)[0] - 128)
    const sign = createSigner(key, 'hmac-sha256', randomBytes(16).toString('hex'))
    const params = ['created', 'keyid', 'alg', 'nonce', 'tag'].sort(() => randomBytes(1)[0] - 128)
    const paramValues = { created: new Date(), nonce: randomBytes(16).toString('base64url'), tag: 'yaopai' }
    const signed = await httpbis.signMessage({ key: sign, name: pick(['yaopai', 'sig1', 'a']), fields, params, paramValues }, { method, url, headers })
    process.stdout.write(JSON.stringify({ method, url, headers: signed.headers, key: key.toString('hex') }) + '\n')
  }
}

await (what === 'check' ? check() : make(Number(many)))
