const { seen } = require('./utils/seen.js')

App({
  globalData: { name: 'hello', seen },
  onLaunch(options) {
    seen.push(`launch ${options.path}`)
  },
  onShow() {
    seen.push('app show')
  },
  onHide() {
    seen.push('app hide')
  },
  onError(error) {
    seen.push(`error ${error.split('\n')[0]}`)
  },
})
