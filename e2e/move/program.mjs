// Runs a mini program's scripts as they stand in its folder, without a screen: App, Page, getApp, require.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'

const SDK = process.env.YAOPAI_SDK_DIST || fileURLToPath(new URL('../../sdk/miniprogram_dist', import.meta.url))
const PACKAGES = { yaopai: `${SDK}/index.js`, 'yaopai/move': `${SDK}/move.js` }

const scripts = new Map()

/** Compiled once for all phones. */
function script(file) {
  if (!scripts.has(file)) scripts.set(file, new vm.Script(`(function (require, module, exports) {${readFileSync(file, 'utf8')}\n})`, { filename: file }))
  return scripts.get(file)
}

/** `folder`: the mini program's. It is started on that phone at once. */
export class Program {
  #folder
  #context
  #loaded = {}
  #page

  constructor(folder, phone) {
    this.#folder = folder
    this.#context = vm.createContext({
      wx: phone.wx,
      // Of a mini program that is no longer looked at nothing holds up the end.
      setTimeout: (call, ms) => { setTimeout(call, ms).unref() },
      // The person's script lets it go off: nobody waits twenty minutes.
      setInterval: call => { this.tick = call },
      App: app => { this.app = app },
      Page: page => { this.#page = page },
      getApp: () => this.app,
      getCurrentPages: () => [],
      phoneNow: () => Date.now() + phone.skew,
    })
    vm.runInContext('{ const now = phoneNow; Date.now = () => now() }', this.#context)
    this.#run(`${folder}/app.js`)
    this.app.onLaunch()
  }

  /** The library, where the mini program has it. */
  get yaopai() {
    return this.#loaded[PACKAGES.yaopai]
  }

  /** A new instance of a page; `changed` is told what it shows. */
  open(name, changed = () => {}) {
    this.#run(`${this.#folder}/pages/${name}/${name}.js`)
    const page = { ...this.#page, data: { ...this.#page.data } }
    page.setData = values => { Object.assign(page.data, values); changed(page.data) }
    return page
  }

  #run(file) {
    const module = { exports: {} }
    const require = name => {
      const path = PACKAGES[name]
      return (this.#loaded[path] ??= this.#run(path))
    }
    script(file).runInContext(this.#context)(require, module, module.exports)
    return module.exports
  }
}
