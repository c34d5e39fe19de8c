Page({
  data: { depth: 0 },
  onLoad({ depth = '0' }) { this.setData({ depth }) },
  onUnload() { getApp().log(`two unload ${this.data.depth}`) },
})
