var app = getApp()

Page({
  data: { courses: [] },

  onShow: function () {
    if (!app.globalData.cookie) return app.waiting = this.onShow.bind(this)
    wx.request({
      url: app.globalData.server + '/courses',
      header: { cookie: app.globalData.cookie },
      success: (res) => {
        if (res.data.errno === 501) return app.login(this.onShow.bind(this))
        this.setData({ courses: res.data.courses })
      }
    })
  },

  add: function (e) {
    wx.request({
      url: app.globalData.server + '/cart',
      method: 'POST',
      header: { cookie: app.globalData.cookie },
      data: { course: e.currentTarget.dataset.course },
      success: (res) => {
        if (res.data.errno === 501) return app.login(this.add.bind(this, e))
        wx.showToast({ title: '已加入' })
      }
    })
  }
})
