const yaopai = require('yaopai')
const t = require('../i18n/index')
const words = require('./words')

// Why the last session ended, as long as there is no new one.
let ended

/** What the pages show of the session. */
function me() {
  const { session } = yaopai.client()
  if (session) ended = undefined
  if (ended) return { state: 'ended', why: ended }
  if (!session) return { state: 'loading' }
  if (!session.bound) return { state: 'guest', face: '客' }
  const name = (session.claims && session.claims.name) || session.user
  return { state: 'user', name, face: name.slice(-1), greeting: t.home.welcome(name), number: t.me.number(session.user) }
}

/**
 * A page of the shop: `Page` with what all of them need.
 *
 * - `data.t`, all texts; `data.me`, the session; `data.notice`, what went wrong; `data.busy`, what is under way
 * - `title`, the name of its title among the texts
 * - `load()`, asked for what it shows whenever the page comes to the front and there is a session to ask with
 * - `this.once(name, action)` does one thing at a time, so that a second tap does nothing
 */
module.exports = function page(options) {
  Page(Object.assign({}, options, {
    data: Object.assign({ t: plain(t), me: { state: 'loading' }, notice: '', busy: '', loaded: false }, options.data),

    onLoad(query) {
      const client = yaopai.client()
      this.quit = [
        client.on('change', () => this.look()),
        client.on('end', end => {
          ended = t.errors[end.code] || end.message
          this.look()
        }),
      ]
      if (options.onLoad) options.onLoad.call(this, query)
    },

    onUnload() {
      this.quit.forEach(quit => quit())
    },

    onShow() {
      wx.setNavigationBarTitle({ title: t.titles[options.title] })
      // Fails on a page that has no tab bar, which does no harm.
      if (wx.setTabBarItem) t.tabs.forEach((text, index) => wx.setTabBarItem({ index, text, fail() {} }))
      this.shown = true
      this.last = undefined
      this.look()
      return this.reload()
    },

    onHide() {
      this.shown = false
    },

    onPullDownRefresh() {
      this.reload().then(() => wx.stopPullDownRefresh())
    },

    /** Shows the session as it is now, and asks anew for what belongs to another one than before. */
    look() {
      const now = me()
      this.setData({ me: now })
      if (now.state === 'loading' || now.state === this.last) return
      const other = this.last !== undefined
      this.last = now.state
      if (other && this.shown) this.reload()
    },

    /** Asks again for what the page shows. */
    async reload() {
      if (!options.load || this.data.me.state === 'ended') return
      // What is asked later is what counts, whichever answer comes last.
      const turn = this.turn = (this.turn || 0) + 1
      try {
        const shown = await options.load.call(this)
        if (turn === this.turn) this.setData(Object.assign({ loaded: true, notice: '' }, shown))
      } catch (error) {
        if (turn === this.turn) this.setData({ notice: words(error) })
      }
      this.look()
    },

    async once(name, action) {
      if (this.running) return
      this.running = true
      this.setData({ busy: name, notice: '' })
      try {
        await action.call(this)
      } catch (error) {
        this.setData({ notice: words(error) })
      }
      this.running = false
      this.setData({ busy: '' })
      this.look()
    },

    logIn() {
      return this.once('login', () => yaopai.client().login())
    },

    toBind() {
      wx.navigateTo({ url: '/pages/bind/bind' })
    },

    /** The person has ended it here. */
    bye(why) {
      ended = why
      this.look()
    },
  }))
}

// Functions can't be shown.
function plain(texts) {
  return JSON.parse(JSON.stringify(texts))
}
