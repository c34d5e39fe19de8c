var app = getApp()

Page({
  data: { name: '', cart: [], booked: [] },

  onShow: function () {
    wx.request({
      url: app.globalData.server + '/mine',
      success: (res) => {
        this.setData({ name: res.data.name, cart: res.data.cart, booked: res.data.booked })
      }
    })
  },

  book: function () {
    wx.request({
      url: app.globalData.server + '/bookings',
      method: 'POST',
      success: (res) => {
        this.onShow()
      }
    })
  }
})
