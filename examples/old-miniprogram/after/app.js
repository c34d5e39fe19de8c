require('yaopai').install({ app: 'club', server: 'http://127.0.0.1:8480', bindPage: '/pages/bind/bind', jar: require('yaopai/cookies').cookieJar() })
App({
  globalData: {
    server: 'http://127.0.0.1:8480'
  }
})
