// What a person does with a phone: looks, taps, types.

import { writeFileSync } from 'node:fs'

/** Texts and selectors are told apart by their beginning: `#id`, `.class`, `[…]` and `wx-tag` are selectors, all else is text that is shown. */
export class Hand {
  find(what) {
    const over = this.tab.locator('.over')
    const here = this.tab.locator('wx-page:not(.away)')
    if (/^(#|\.|\[|wx-)/.test(what)) {
      const selector = what.replace(/#([\w-]+)/g, '[id$="--$1"]')
      return here.locator(selector).or(over.locator(selector)).first()
    }
    const shown = root => root.getByText(what, { exact: true })
    const bars = this.tab.locator('.bar, .tabs')
    // What is in front is found first.
    return { candidates: [shown(over), shown(here), shown(bars)] }
  }

  /** The one that is visible; waits for it. */
  async locate(what) {
    const found = this.find(what)
    if (!found.candidates) return found
    const until = Date.now() + this.patience()
    for (;;) {
      for (const candidate of found.candidates) {
        for (const one of (await candidate.all()).reverse()) if (await one.isVisible()) return one
      }
      if (Date.now() > until) throw new Error(`nothing shows ${JSON.stringify(what)}; there is:\n${await this.text()}`)
      await this.tab.waitForTimeout(20)
    }
  }

  patience() {
    return 10_000
  }

  async tap(what) {
    await (await this.locate(what)).click()
  }

  async fill(what, text) {
    const field = await this.locate(what)
    await field.locator('.inner').or(field.and(this.tab.locator('input, textarea'))).first().fill(text)
  }

  /** The arrow in the navigation bar. */
  async back() {
    await this.tab.locator('.bar-back').click()
  }

  /** All that can be read: what lies over the page, its title, the page. */
  async text() {
    const parts = await Promise.all(['.over', '.bar-title', 'wx-page:not(.away)'].map(part => this.tab.locator(part).first().innerText().catch(() => '')))
    return parts.filter(part => part.trim()).join('\n')
  }

  /** Until that can be read, or matches. */
  async waitFor(what, patience = this.patience()) {
    const until = Date.now() + patience
    for (;;) {
      const text = await this.text()
      if (what instanceof RegExp ? what.test(text) : text.includes(what)) return text
      if (Date.now() > until) throw new Error(`waited for ${what}, but there is:\n${text}\n${this.lines.slice(-5).join('\n')}\n${this.failures.map(error => error.stack).join('\n')}`)
      await this.tab.waitForTimeout(20)
    }
  }

  /** Until the page on top is that one. */
  async waitForPage(route, patience = this.patience()) {
    const until = Date.now() + patience
    while (await this.page() !== route) {
      if (Date.now() > until) throw new Error(`waited for the page ${route}, but it is ${await this.page()}:\n${await this.text()}`)
      await this.tab.waitForTimeout(20)
    }
  }

  async screenshot(file) {
    const picture = await this.tab.screenshot()
    if (file) writeFileSync(file, picture)
    return picture
  }
}
