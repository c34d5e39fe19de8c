var app = getApp()

Page({
  submit: function (e) {
    wx.request({
      url: app.globalData.server + '/bind',
      method: 'POST',
      header: { cookie: app.globalData.cookie },
      data: e.detail.value,
      success: (res) => {
        if (res.data.errno === 501) return app.login(this.submit.bind(this, e))
        if (res.data.errno) return wx.showToast({ title: res.data.errmsg, icon: 'none' })
        wx.navigateBack()
      }
    })
  }
})
