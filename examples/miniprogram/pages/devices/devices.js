const yaopai = require('yaopai')
const page = require('../../lib/page')
const shop = require('../../lib/shop')
const countSteps = require('../../lib/steps')
const t = require('../../i18n/index')

page({
  title: 'devices',

  data: { devices: [], steps: '', counts: false },

  async load() {
    const client = yaopai.client()
    const devices = await client.devices()
    const now = client.now()
    return {
      // Not on every platform.
      counts: Boolean(wx.getWeRunData),
      devices: devices.map(({ session_id: id, current, device, last_seen_at: seen }) => ({
        id,
        current,
        name: (device && device.name) || t.me.kinds[device && device.type] || t.me.kinds.other,
        seen: t.me.seen(Math.round((now - Date.parse(seen)) / 60000)),
      })),
    }
  },

  steps() {
    return this.once('steps', async () => {
      const n = await countSteps()
      this.setData({ steps: t.me.today(n) })
    })
  },

  kick(event) {
    const { id } = event.currentTarget.dataset
    return this.sure(t.me.kickAsk, `kick-${id}`, async () => {
      await yaopai.client().kick(id)
      wx.showToast({ title: t.me.kicked, icon: 'success' })
      await this.reload()
    })
  },

  logOut() {
    return this.once('logout', async () => {
      await yaopai.client().logout()
      this.bye(t.ended.logout)
    })
  },

  /** The shop's own table goes first: else it would bind the account again at the next login. */
  unlink() {
    return this.sure(t.me.unlinkAsk, 'unlink', async () => {
      await shop('POST', '/unlink')
      await yaopai.client().unbind()
      wx.showToast({ title: t.me.unlinkDone, icon: 'success' })
    })
  },

  sure(content, name, action) {
    wx.showModal({
      content,
      confirmText: t.me.yes,
      cancelText: t.me.no,
      success: ({ confirm }) => { if (confirm) this.once(name, action) },
    })
  },
})
