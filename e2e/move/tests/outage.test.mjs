// Nobody is there for the library: a port that takes no connection, a server that takes them and says nothing. The club goes on, and so
// does the program with both codes.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Accounts, PEOPLE } from '../../../examples/miniprogram/server/accounts.mjs'
import { startClub } from '../../../examples/old-miniprogram/server/run.mjs'
import { seeded } from '../../back-ends/random.mjs'
import { Ledger } from '../ledger.mjs'
import { Person } from '../person.mjs'
import { Program } from '../program.mjs'
import { phoneOf } from '../wx.mjs'

const during = fileURLToPath(new URL('../../../examples/old-miniprogram/during', import.meta.url))
// In real milliseconds: the library's 10 s, and what a busy machine needs. And by far less than that, where nobody is waited for.
const FIRST = 30_000
const LATER = 5_000

const [one, other] = PEOPLE
const members = new Accounts()
const club = await startClub('before', { known: one.account, members, carts: new Map() })
members.byAccount(other.account).openid = await club.sim.openid(other.account)
const sockets = new Set()
const silent = createServer(socket => sockets.add(socket.on('error', () => {})))
await new Promise(done => silent.listen(0, '127.0.0.1', done))
after(async () => {
  for (const socket of sockets) socket.destroy()
  silent.close()
  await club.stop()
})

const DEAD = [['takes no connection', 'http://127.0.0.1:1', one], ['says nothing', `http://127.0.0.1:${silent.address().port}`, other]]
for (const [name, yaopai, member] of DEAD) {
  test(`a server that ${name}: the first start, and an hour later`, async () => {
    const phone = phoneOf({ server: club.url, yaopai, code: () => club.sim.code(member.account) })
    const ledger = new Ledger()
    ledger.watch({ member }, phone)
    const person = new Person({ member, phone, program: new Program(during, phone), random: seeded(1), isBound: true })
    const took = async () => {
      const before = Date.now()
      await person.step()
      return Date.now() - before
    }
    const first = await took()
    assert.ok(first < FIRST, `${first} ms`)
    for (let hour = 0; hour < 3; hour++) {
      for (let n = 0; n < 10; n++) {
        const later = await took()
        assert.ok(later < LATER, `${later} ms, hour ${hour}`)
      }
      assert.equal(person.side, 'legacy')
      person.sleep(61 * 60 * 1000)
    }
    assert.deepEqual(ledger.wrong, [])
  })
}
