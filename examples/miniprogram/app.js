const { app, server } = require('./config')
const device = require('./lib/device')

require('yaopai').install({ app, server, device, bindPage: '/pages/bind/bind' })

App({})
