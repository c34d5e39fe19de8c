const { globals, reached } = require('./globals')
const { order } = require('./order')

const told = []

App({
  told,
  globals,
  reached,
  order,
  onHide() { told.push('hide') },
  onShow() { told.push('show') },
  // Each of these is called by a test, and runs as the app's own code.
  callback(name, options) {
    return new Promise(done => {
      wx[name](Object.assign({}, options, { success: result => done(Object.assign({ fine: true }, result)), fail: result => done(Object.assign({ fine: false }, result)) }))
    })
  },
  log(what) { told.push(what) },
  timers() {
    setTimeout(() => told.push('timeout'), 60000)
    let left = 3
    const every = setInterval(() => {
      told.push('interval')
      left -= 1
      if (left === 0) clearInterval(every)
    }, 1000)
  },
  now: () => Date.now(),
  date: () => [new Date().getTime() - Date.now() < 50, new Date(0).getTime(), typeof Date(), new Date(2020, 1, 2) instanceof Date],
  task(options) {
    const result = []
    const task = wx.request(Object.assign({}, options, {
      success: () => result.push('success'), fail: ({ errMsg }) => result.push(errMsg), complete: () => result.push('complete'),
    }))
    return { task, result, kind: typeof task.then, methods: ['abort', 'onHeadersReceived', 'offHeadersReceived'].map(name => typeof task[name]) }
  },
  patch() {
    const before = wx.request
    const mine = () => 'mine'
    let thrown = ''
    try { wx.request = mine } catch (error) { thrown = error.name }
    const assigned = wx.request === mine
    let defined = false
    try {
      Object.defineProperty(wx, 'request', { value: mine, configurable: true, writable: true })
      defined = wx.request === mine
    } catch (error) { thrown = thrown || error.name }
    return { assigned, defined, thrown, was: typeof before }
  },
  bigint: () => typeof BigInt,
  storage() {
    const thrown = []
    for (const run of [() => wx.setStorageSync('a', 1), () => wx.getStorageSync('a')]) {
      try { run() } catch (error) { thrown.push(error.message) }
    }
    return thrown
  },
  random: () => [typeof wx.getRandomValues, typeof wx.getUserCryptoManager],
})
