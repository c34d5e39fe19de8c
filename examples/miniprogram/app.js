const { app, server } = require('./config')

require('yaopai').install({ app, server, bindPage: '/pages/bind/bind' })

App({})
