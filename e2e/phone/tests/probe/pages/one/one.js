Page({
  data: {},
  onShow() { getApp().log('one show') },
  onHide() { getApp().log('one hide') },
})
