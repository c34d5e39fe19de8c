// Navigation, bars, and what is shown over a page.

import { Failure } from './call.mjs'

export function userInterface({ pages, screen, sheets, clock }, make) {
  let hiding
  const toast = (options, duration) => {
    clock.clear(hiding)
    sheets.toast(options)
    if (duration) hiding = clock.set(() => sheets.hideToast(), duration, { own: true })
  }
  const hide = () => {
    clock.clear(hiding)
    sheets.hideToast()
  }
  const bar = change => options => {
    if (!pages.top) throw new Failure('no page')
    Object.assign(pages.top, change(options))
    screen.paint()
  }
  const badge = (index, value) => {
    const mark = screen.tabs.children[index]?.querySelector('.tab-badge')
    if (!mark) throw new Failure('tabbar item not found')
    mark.hidden = value === undefined
    mark.textContent = value ?? ''
  }
  const setTab = ({ index, text, iconPath, selectedIconPath }) => {
    if (!(screen.tab >= 0)) throw new Failure('not TabBar page')
    if (!screen.tabs.children[index]) throw new Failure('tabbar item not found')
    screen.setTab(index, { text, iconPath, selectedIconPath })
  }
  const tabs = hidden => () => {
    screen.tabsHidden = hidden
    screen.paint()
  }
  const wx = {
    showToast: make('showToast', options => toast(options, options.duration ?? 1500)),
    hideToast: make('hideToast', hide),
    showLoading: make('showLoading', options => toast({ ...options, icon: 'loading' })),
    hideLoading: make('hideLoading', hide),
    showModal: make('showModal', options => sheets.modal(options)),
    showActionSheet: make('showActionSheet', async options => {
      const tapIndex = await sheets.actions(options)
      if (tapIndex === undefined) throw new Failure('cancel')
      return { tapIndex }
    }),
    setNavigationBarTitle: make('setNavigationBarTitle', bar(({ title }) => ({ title }))),
    setNavigationBarColor: make('setNavigationBarColor', bar(({ backgroundColor, frontColor }) => ({
      config: { ...pages.top.config, navigationBarBackgroundColor: backgroundColor, navigationBarTextStyle: frontColor === '#000000' ? 'black' : 'white' },
    }))),
    showNavigationBarLoading: make('showNavigationBarLoading', () => { screen.spinner.hidden = false }),
    hideNavigationBarLoading: make('hideNavigationBarLoading', () => { screen.spinner.hidden = true }),
    startPullDownRefresh: make('startPullDownRefresh', () => pages.pull()),
    stopPullDownRefresh: make('stopPullDownRefresh', () => { screen.element.classList.remove('pulled') }),
    pageScrollTo: make('pageScrollTo', ({ scrollTop = 0 }) => { pages.top.element.scrollTop = scrollTop }),
    setTabBarItem: make('setTabBarItem', setTab),
    setTabBarBadge: make('setTabBarBadge', ({ index, text }) => badge(index, text)),
    removeTabBarBadge: make('removeTabBarBadge', ({ index }) => badge(index)),
    showTabBarRedDot: make('showTabBarRedDot', ({ index }) => badge(index, '')),
    hideTabBarRedDot: make('hideTabBarRedDot', ({ index }) => badge(index)),
    hideTabBar: make('hideTabBar', tabs(true)),
    showTabBar: make('showTabBar', tabs(false)),
    createSelectorQuery: () => pages.top.instance.createSelectorQuery(),
  }
  wx.createAnimation = animation
  for (const name of ['navigateTo', 'redirectTo', 'reLaunch', 'switchTab', 'navigateBack']) wx[name] = make(name, options => pages[name](options))
  return wx
}

/** Nothing moves on this phone, but what describes a movement can be made. */
function animation() {
  const made = new Proxy({}, { get: (target, name) => (name === 'export' ? () => ({ actions: [] }) : () => made) })
  return made
}
