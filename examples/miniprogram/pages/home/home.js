const page = require('../../lib/page')
const shop = require('../../lib/shop')
const money = require('../../lib/money')
const t = require('../../i18n/index')

page({
  title: 'home',

  data: { goods: [] },

  async load() {
    const { goods, prices = {} } = await shop('GET', '/goods')
    // The person was sent to the bind page in the middle of an order, and is back.
    const linked = this.wanted && this.data.me.state === 'user'
    if (linked) {
      this.wanted = false
      wx.showToast({ title: t.home.linked, icon: 'none' })
    }
    return { goods: goods.map(item => Object.assign({ item, price: money(prices[item]) }, t.goods[item] || { name: item, glyph: item[0] })) }
  },

  order(event) {
    const { item } = event.currentTarget.dataset
    return this.once(item, async () => {
      await shop('POST', '/orders', { item }).catch(error => {
        this.wanted = error.code === 'not_bound'
        throw error
      })
      wx.showToast({ title: t.home.ordered, icon: 'success' })
    })
  },
})
