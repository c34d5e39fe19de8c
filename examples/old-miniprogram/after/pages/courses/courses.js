var app = getApp()

Page({
  data: { courses: [] },

  onShow: function () {
    wx.request({
      url: app.globalData.server + '/courses',
      success: (res) => {
        this.setData({ courses: res.data.courses })
      }
    })
  },

  add: function (e) {
    wx.request({
      url: app.globalData.server + '/cart',
      method: 'POST',
      data: { course: e.currentTarget.dataset.course },
      success: (res) => {
        wx.showToast({ title: '已加入' })
      }
    })
  }
})
