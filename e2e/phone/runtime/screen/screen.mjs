// The phone's face: status bar, navigation bar, pages, tab bar.

import { h } from './dom.mjs'

const CAPSULE = { width: 87, height: 32, right: 7 }
const STATUS = 44
const BAR = 44

export class Screen {
  constructor(config, clock, commands) {
    Object.assign(this, { config, clock, commands, online: true })
    this.build()
    this.observe()
    this.tick()
  }

  build() {
    this.time = h('span.status-time')
    this.title = h('span.bar-title')
    this.back = h('button.bar-back', { 'aria-label': '返回', onclick: () => this.commands.back() })
    this.spinner = h('i.bar-spinner', { hidden: '' })
    this.bar = h('header.bar', {}, this.back, this.spinner, this.title, h('span.bar-capsule', {}, h('i.bar-more'), h('i.bar-close')))
    this.pages = h('main.pages')
    this.tabs = h('nav.tabs')
    this.over = h('div.over')
    this.status = h('div.status', {}, this.time, h('span.status-right', {}, h('i.status-signal'), h('i.status-wifi'), h('i.status-battery')))
    this.element = h('div.screen', {}, this.status, this.bar, this.pages, this.tabs, this.over)
    document.body.append(h('div.phone', {}, this.element))
    this.makeTabs()
  }

  makeTabs() {
    const { tabBar } = this.config.app
    if (!tabBar) return
    this.tabs.style.cssText = `--tab:${tabBar.color ?? '#888'};--tab-chosen:${tabBar.selectedColor ?? '#07c160'};background:${tabBar.backgroundColor ?? '#fff'}`
    this.tabs.append(...tabBar.list.map((tab, index) => {
      const picture = tab.iconPath ? h('img', { src: this.file(tab.iconPath), alt: '' }) : undefined
      return h('button.tab', { onclick: () => this.commands.tab(tab.pagePath, index) }, picture, h('span.tab-text', {}, tab.text), h('b.tab-badge', { hidden: '' }))
    }))
  }

  /** What is named of `{ text, iconPath, selectedIconPath }` takes the place of what app.json says. */
  setTab(index, changes) {
    const tab = this.config.app.tabBar.list[index]
    for (const name in changes) if (changes[name] !== undefined) tab[name] = changes[name]
    this.tabs.children[index].querySelector('.tab-text').textContent = tab.text
    this.paint()
  }

  /** rpx: 750 of them are the screen's width. */
  observe() {
    const measure = () => this.element.style.setProperty('--rpx', `${this.element.clientWidth / 750}px`)
    measure()
    new ResizeObserver(measure).observe(this.element)
  }

  tick() {
    const now = new Date(this.clock.now())
    this.time.textContent = `${now.getHours()}:${String(now.getMinutes()).padStart(2, '0')}`
    this.element.classList.toggle('offline', !this.online)
    setTimeout(() => this.tick(), 1000)
  }

  attach(page) {
    const placeholder = h('div')
    this.pages.append(placeholder)
    page.root.attach(this.pages, placeholder)
  }

  show(page, { back, tab }) {
    page.element.classList.remove('away')
    this.current = page
    this.backable = back
    this.tab = tab
    this.paint()
  }

  hide(page) {
    page.element.classList.add('away')
  }

  paint() {
    if (!this.current) return
    const { config, title } = this.current
    const dark = config.navigationBarTextStyle !== 'black'
    this.title.textContent = title
    this.back.hidden = !this.backable
    this.element.style.setProperty('--bar', config.navigationBarBackgroundColor ?? '#000000')
    this.element.classList.toggle('bar-light', dark)
    this.element.classList.toggle('bar-custom', config.navigationStyle === 'custom')
    this.element.classList.toggle('tabbed', this.tab >= 0 && !this.tabsHidden)
    this.pages.style.background = config.backgroundColor ?? ''
    const { tabBar } = this.config.app
    for (const [index, tab] of [...this.tabs.children].entries()) {
      tab.classList.toggle('chosen', index === this.tab)
      const { iconPath, selectedIconPath } = tabBar.list[index]
      if (iconPath) tab.querySelector('img').src = this.file(index === this.tab ? selectedIconPath ?? iconPath : iconPath)
    }
  }

  file(path) {
    return `files/${path.replace(/^\//, '')}`
  }

  measure() {
    const { clientWidth: width, clientHeight: height } = this.element
    const inside = this.pages.getBoundingClientRect()
    return {
      pixelRatio: window.devicePixelRatio, screenWidth: width, screenHeight: height, windowWidth: inside.width, windowHeight: inside.height,
      statusBarHeight: STATUS, screenTop: STATUS + BAR, safeArea: { left: 0, right: width, top: STATUS, bottom: height, width, height: height - STATUS },
    }
  }

  capsule() {
    const right = this.element.clientWidth - CAPSULE.right
    const top = STATUS + (BAR - CAPSULE.height) / 2
    return { width: CAPSULE.width, height: CAPSULE.height, top, right, bottom: top + CAPSULE.height, left: right - CAPSULE.width }
  }
}
