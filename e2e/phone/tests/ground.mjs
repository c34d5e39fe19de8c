// What every test stands on: the simulator, a back end, and phones that end with the test.

import { after, before, beforeEach } from 'node:test'
import { fileURLToPath } from 'node:url'
import { closeBrowser, startPhone } from '../driver/phone.mjs'
import { startSim } from '../driver/sim.mjs'
import { startShop } from './shop.mjs'

export const HELLO = fileURLToPath(new URL('hello', import.meta.url))
export const PROBE = fileURLToPath(new URL('probe', import.meta.url))

/** `{ start }` for a file of tests; `sim` and `shop` are there when the tests run. */
export function ground() {
  const phones = []
  const here = {
    async start(folder, options = {}) {
      const phone = await startPhone({ folder, sim: here.sim, hosts: { 'https://shop.example': here.shop.url }, ...options })
      phones.push(phone)
      return phone
    },
  }
  before(async () => {
    if (!process.env.YAOPAI) throw new Error('YAOPAI is not set: run.sh builds yaopai and sets it')
    here.sim = await startSim(process.env.YAOPAI)
    here.shop = await startShop(here.sim)
  })
  beforeEach(() => here.shop.heard.splice(0))
  after(async () => {
    for (const phone of phones) await phone.close()
    await closeBrowser()
    await here.shop?.close()
    await here.sim?.stop()
  })
  return here
}
