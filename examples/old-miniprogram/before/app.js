App({
  globalData: {
    cookie: '',
    server: 'http://127.0.0.1:8480'
  },

  onLaunch: function () {
    this.login()
    // The back end forgets a session after 30 minutes.
    setInterval(this.refresh.bind(this), 20 * 60 * 1000)
  },

  login: function (then) {
    // WeChat, the network, the server: whatever has failed.
    var again = () => setTimeout(() => this.login(then), 1000)
    wx.login({
      fail: again,
      success: (res) => {
        wx.request({
          url: this.globalData.server + '/login',
          method: 'POST',
          data: { code: res.code },
          fail: again,
          success: (res) => {
            var cookie = res.header['Set-Cookie'] || res.header['set-cookie']
            if (!cookie || res.data.errno) return again()
            this.globalData.cookie = cookie.split(';')[0]
            if (then) then()
            if (this.waiting) this.waiting()
            this.waiting = null
          }
        })
      }
    })
  },

  refresh: function () {
    wx.request({
      url: this.globalData.server + '/refresh',
      header: { cookie: this.globalData.cookie }
    })
  }
})
