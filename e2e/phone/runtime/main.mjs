// Starts the phone: says hello to the client, then loads the app whose bundle the page brings.

import { setGlobalOptions } from './app/options.mjs'
import { App } from './app/app.mjs'
import { Modules } from './app/modules.mjs'
import { Pages } from './app/pages.mjs'
import { Registry } from './app/register.mjs'
import { parseRoute } from './app/route.mjs'
import { BACKGROUND, Clock } from './clock.mjs'
import { Link } from './link.mjs'
import { makeScope } from './scope/scope.mjs'
import { Screen } from './screen/screen.mjs'
import { Sheets } from './screen/sheets.mjs'
import { makeWx } from './wx/index.mjs'

class Phone {
  /** By app.js, once. */
  load(bundle) {
    this.started = this.start(bundle)
  }

  async start(bundle) {
    setGlobalOptions()
    const link = new Link(document.documentElement.dataset.client ?? 'client/')
    const hello = await link.hello()
    const quirks = hello.quirks ?? {}
    const clock = new Clock(quirks.wrongClock ?? 0)
    const entry = parseRoute(hello.entry ?? bundle.config.app.entryPagePath ?? bundle.config.app.pages[0])
    const app = new App({ ...entry, scene: 1001, shareTicket: undefined, referrerInfo: {} })
    const screen = new Screen(bundle.config, clock, {
      back: () => this.pages.navigateBack({}),
      tab: (path, index) => this.tab(path, index),
    })
    const sheets = new Sheets(screen.over)
    Object.assign(this, { link, hello, clock, app, screen, sheets, visible: true })

    // The framework and the scripts need each other: the scripts are given after the globals are there.
    const modules = new Modules({})
    const builtIns = { phone: this, screen, sheets, clock, link, open: (how, options) => clock.deliver(() => this.wx[how](options)), name: hello.name }
    const registry = new Registry(bundle, modules, builtIns)
    const pages = new Pages(registry, bundle.config, screen, clock)
    this.pages = pages
    const parts = { link, clock, quirks, screen, sheets, pages, background: () => this.background() }
    const { wx, network, sockets, online } = makeWx(parts, hello, app, () => world.Promise)
    Object.assign(this, { wx, network, sockets })
    const { world, scope } = makeScope(clock, quirks, {
      wx, ...registry.globals(), ...app.globals(), getCurrentPages: () => pages.instances(),
    })
    this.world = world
    modules.scripts = bundle.scripts(scope)

    addEventListener('error', event => app.instance && app.failed(event.error ?? event.message))
    addEventListener('unhandledrejection', event => app.tell('onUnhandledRejection', { reason: event.reason, promise: event.promise }))
    link.on('command', ({ name, value }) => this.command(name, value))
    link.on('online', ({ value }) => online(value))

    modules.run(modules.has('app.js') ? 'app.js' : 'app.ts')
    const units = Object.keys(bundle.config.units)
    const isPage = path => bundle.config.app.pages.includes(path)
    for (const path of [...units.filter(path => !isPage(path)).reverse(), ...units.filter(isPage)]) registry.run(path)
    pages.reLaunch({ url: `/${entry.path}${query(entry.query)}` })
  }

  tab(path, index) {
    const text = this.pages.config.app.tabBar.list[index].text
    this.clock.deliver(() => {
      this.pages.switchTab({ url: `/${path}` })
      this.pages.life(this.pages.top, 'onTabItemTap', { index, pagePath: path, text })
    })
  }

  /** The app leaves the screen. Five seconds later it stands still. */
  background() {
    if (!this.visible) return
    this.visible = false
    this.pages.life(this.pages.top, 'onHide')
    this.pages.top.root.getComponent().triggerPageLifetime('hide', [])
    this.app.hidden()
    this.screen.element.classList.add('asleep')
    this.freezing = this.clock.set(() => {
      this.clock.freeze()
      this.network.interrupt()
      this.sockets.interrupt()
    }, BACKGROUND, { own: true })
  }

  foreground() {
    if (this.visible) return
    this.visible = true
    this.clock.clear(this.freezing)
    this.screen.element.classList.remove('asleep')
    this.clock.thaw()
    this.app.shown()
    this.pages.life(this.pages.top, 'onShow')
    this.pages.top.root.getComponent().triggerPageLifetime('show', [])
  }

  /** From the client, or from whoever holds the page. */
  command(name, value) {
    if (name === 'background') return this.background()
    if (name === 'foreground') return this.foreground()
    if (name === 'advance') return this.clock.advance(value)
    throw new Error(`no such command: ${name}`)
  }

  /** Where the person is. */
  page() {
    return this.pages.top?.path
  }
}

function query(fields) {
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${value}`)
  return pairs.length > 0 ? `?${pairs.join('&')}` : ''
}

globalThis.phone = new Phone()
