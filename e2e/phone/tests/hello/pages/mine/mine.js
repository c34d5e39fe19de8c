const { seen } = require('../../utils/seen')

Page({
  data: { name: '' },
  onLoad() { seen.push('mine load') },
  onShow() {
    seen.push('mine show')
    this.setData({ name: getApp().globalData.name })
  },
  onTabItemTap({ text }) { seen.push(`tab ${text}`) },
})
