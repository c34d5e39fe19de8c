import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BACK_ENDS } from '../back-ends.mjs'
import { Customer } from '../customer.mjs'
import { seeded } from '../random.mjs'
import { startStack } from '../stack.mjs'

const CLIENTS = Number(process.env.YAOPAI_FLEET_CLIENTS ?? 100)
const REQUESTS = Number(process.env.YAOPAI_FLEET_REQUESTS ?? 20)
const SEED = Number(process.env.YAOPAI_FLEET_SEED ?? Date.now() % 1_000_000)
// As many as a phone farm would: the others wait for their turn.
const AT_A_TIME = 25

for (const kind of Object.keys(BACK_ENDS)) {
  describe(kind, () => {
    let stack
    before(async () => { stack = await startStack(kind, CLIENTS + 1) })
    after(() => stack?.stop())

    test(`${CLIENTS} clients without cookies, each with its own session of the back end`, async t => {
      t.diagnostic(`YAOPAI_FLEET_SEED=${SEED}`)
      let next = 0
      const one = async () => {
        for (let n = next++; n < CLIENTS; n = next++) await new Customer(stack.client(n), `demo-${n}`, seeded(SEED + n)).live(REQUESTS)
      }
      await Promise.all(Array.from({ length: Math.min(AT_A_TIME, CLIENTS) }, one))
    })

    test('a request that is not signed in by anybody has no session here', async () => {
      const { status, code } = await stack.client(CLIENTS).request('GET', '/cart')
      assert.deepEqual([status, code], [401, 'session_missing'])
    })

    test("the phone's own cookies do not reach the back end", async () => {
      const stranger = await (await fetch(`${stack.shop}/cart/theirs`, { method: 'POST' })).headers.get('set-cookie')
      const client = stack.client(CLIENTS)
      await client.login()
      const { body } = await client.request('GET', '/cart', { Cookie: stranger.split(';')[0] })
      assert.deepEqual(body.items, [])
    })
  })
}
