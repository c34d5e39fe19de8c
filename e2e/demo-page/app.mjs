// The mini program in the page's frame, as a person uses it. What is tapped goes by the ids that the example gives it.

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
/** What a person reads there: the example's own texts. */
export const textsOf = language => require(`../../examples/miniprogram/i18n/${language === 'en' ? 'en' : 'zh'}.js`)

/** Its tabs. */
export const [SHOP, ORDERS, ME] = [0, 1, 2]

export class MiniProgram {
  constructor(page) {
    this.frame = page.frameLocator('#phone iframe')
    this.top = this.frame.locator('wx-page:not(.away)')
    this.over = this.frame.locator('.over')
    this.taps = 0
  }

  id(name) {
    return this.top.locator(`[id$="--${name}"]`)
  }

  tap(name) {
    return this.press(this.id(name))
  }

  tab(index) {
    return this.press(this.frame.locator('.tab').nth(index))
  }

  back() {
    return this.press(this.frame.locator('.bar-back'))
  }

  /** Answers what lies over the page. */
  answer(selector) {
    return this.press(this.over.locator(selector))
  }

  async press(what) {
    // A frame that asks for events all the time has no navigation to wait for.
    await what.click({ noWaitAfter: true })
    this.taps += 1
  }

  async fill(name, text) {
    await this.id(name).locator('.inner').fill(text)
  }

  /** Until that can be read. */
  async reads(text) {
    await this.top.getByText(text).or(this.over.getByText(text)).first().waitFor()
  }

  /** Until the page has it. */
  async has(name) {
    await this.id(name).first().waitFor()
  }
}
