var app = getApp()

Page({
  data: { name: '', cart: [], booked: [] },

  onShow: function () {
    if (!app.globalData.cookie) return app.waiting = this.onShow.bind(this)
    wx.request({
      url: app.globalData.server + '/mine',
      header: { cookie: app.globalData.cookie },
      success: (res) => {
        if (res.data.errno === 501) return app.login(this.onShow.bind(this))
        this.setData({ name: res.data.name, cart: res.data.cart, booked: res.data.booked })
      }
    })
  },

  book: function () {
    wx.request({
      url: app.globalData.server + '/bookings',
      method: 'POST',
      header: { cookie: app.globalData.cookie },
      success: (res) => {
        if (res.data.errno === 501) return app.login(this.book.bind(this))
        if (res.data.errno === 502) return wx.navigateTo({ url: '/pages/bind/bind' })
        this.onShow()
      }
    })
  }
})
