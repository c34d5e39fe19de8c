const en = require('./en')
const zh = require('./zh')

/** 'zh' or 'en', by the phone's language. */
function language() {
  const info = wx.getAppBaseInfo ? wx.getAppBaseInfo() : wx.getSystemInfoSync()
  return /^zh/i.test(info.language || 'zh') ? 'zh' : 'en'
}

/** All that the mini program says. */
module.exports = language() === 'zh' ? zh : en
