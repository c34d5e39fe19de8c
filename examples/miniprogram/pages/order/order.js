const yaopai = require('yaopai')
const page = require('../../lib/page')
const shop = require('../../lib/shop')
const money = require('../../lib/money')
const t = require('../../i18n/index')

page({
  title: 'order',

  data: { orders: [], open: 0, sum: '', openText: '', pay: t.orders.pay },

  async load() {
    // A guest has no orders, and asking for them would open the bind page each time.
    const { bound } = await yaopai.client().login()
    if (!bound) return { orders: [], open: 0 }
    const [{ prices = {} }, { orders, paid = 0 }] = await Promise.all([shop('GET', '/goods'), shop('GET', '/orders')])
    // One pays for all that is open, so what is paid is the oldest so many.
    const open = orders.slice(paid)
    const known = open.length > 0 && open.every(item => prices[item] !== undefined)
    return {
      open: open.length,
      openText: t.orders.count(open.length),
      sum: known ? money(open.reduce((sum, item) => sum + prices[item], 0)) : '',
      orders: orders.map((item, n) => Object.assign({ item, number: t.orders.number(n + 1), paid: n < paid, price: money(prices[item]) }, t.goods[item] || { name: item, glyph: item[0] })).reverse(),
    }
  },

  pay() {
    return this.once('pay', async () => {
      const { paid } = await shop('POST', '/pay')
      wx.showToast({ title: t.orders.paidFor(paid), icon: 'success' })
      await this.reload()
    })
  },

  toShop() {
    wx.switchTab({ url: '/pages/home/home' })
  },
})
