// The page stack.

import { guard } from '../clock.mjs'
import { Failure } from '../wx/call.mjs'
import { EventChannel, parseRoute } from './route.mjs'

const DEEPEST = 10

export class Pages {
  constructor(registry, config, screen, clock) {
    Object.assign(this, { registry, config, screen, clock })
    this.stack = []
    this.tabs = new Map()
    this.tabPaths = (config.app.tabBar?.list ?? []).map(tab => tab.pagePath)
  }

  get top() {
    return this.stack.at(-1)
  }

  instances() {
    return this.stack.map(page => page.instance)
  }

  navigateTo({ url, events = {} }) {
    const route = this.route(url)
    if (this.tabPaths.includes(route.path)) throw new Failure('can not navigateTo a tabbar page')
    if (this.stack.length >= DEEPEST) throw new Failure(`webview count limit exceed`)
    this.hide(this.top)
    const page = this.make(route)
    page.channel = new EventChannel()
    for (const [name, run] of Object.entries(events)) page.channel.on(name, run)
    this.stack.push(page)
    this.enter(page)
    return { eventChannel: page.channel }
  }

  redirectTo({ url }) {
    const route = this.route(url)
    if (this.tabPaths.includes(route.path)) throw new Failure('can not redirectTo a tabbar page')
    this.leave(this.stack.pop())
    this.stack.push(this.make(route))
    this.enter(this.top)
  }

  reLaunch({ url }) {
    const route = this.route(url)
    for (const page of this.stack.splice(0).reverse()) this.leave(page)
    for (const page of this.tabs.values()) this.leave(page)
    this.tabs.clear()
    this.stack.push(this.make(route))
    this.enter(this.top)
  }

  switchTab({ url }) {
    const route = this.route(url)
    if (!this.tabPaths.includes(route.path)) throw new Failure('can not switch to no-tabBar page')
    if (this.top?.path === route.path) return
    for (const page of this.stack.splice(0).reverse()) {
      if (this.tabs.get(page.path) === page) this.hide(page)
      else this.leave(page)
    }
    const known = this.tabs.get(route.path)
    this.stack.push(known ?? this.make({ path: route.path, query: {} }))
    if (known) this.show(known)
    else this.enter(this.top)
  }

  navigateBack({ delta = 1 } = {}) {
    if (this.stack.length <= 1) throw new Failure('cannot navigate back at first page.')
    for (let left = Math.min(delta, this.stack.length - 1); left > 0; left -= 1) this.leave(this.stack.pop())
    this.show(this.top)
  }

  route(url) {
    const route = parseRoute(url, this.top?.path)
    if (!this.config.app.pages.includes(route.path)) throw new Failure(`page "${url}" is not found`)
    return route
  }

  make({ path, query }) {
    const config = { ...this.config.app.window, ...this.config.units[path] }
    const search = Object.entries(query).map(([name, value]) => `${name}=${value}`).join('&')
    const root = this.registry.create(path, search ? `/${path}?${search}` : `/${path}`)
    const instance = root.get()
    const page = { path, query, root, instance, config, element: root.getComponent().$$, title: config.navigationBarTitleText ?? '' }
    page.element.setAttribute('route', path)
    Object.assign(instance, { route: path, options: query, __route__: path })
    instance.getOpenerEventChannel = () => page.channel ?? new EventChannel()
    if (this.tabPaths.includes(path)) this.tabs.set(path, page)
    return page
  }

  enter(page) {
    this.screen.attach(page)
    this.life(page, 'onLoad', page.query)
    this.show(page)
    this.life(page, 'onReady')
  }

  show(page) {
    this.screen.show(page, { back: this.stack.length > 1, tab: this.tabPaths.indexOf(page.path) })
    this.life(page, 'onShow')
    page.root.getComponent().triggerPageLifetime('show', [])
  }

  hide(page) {
    if (!page) return
    this.life(page, 'onHide')
    page.root.getComponent().triggerPageLifetime('hide', [])
    this.screen.hide(page)
  }

  leave(page) {
    this.life(page, 'onUnload')
    this.tabs.delete(page.path)
    page.root.release()
    page.element.remove()
  }

  pull() {
    this.screen.element.classList.add('pulled')
    this.life(this.top, 'onPullDownRefresh')
  }

  /** A page's own function of that name, if it has one. */
  life(page, name, ...args) {
    const run = page?.instance[name]
    if (typeof run === 'function') return guard(() => run.apply(page.instance, args))
  }
}
