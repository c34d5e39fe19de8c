const { model = '', platform } = wx.getDeviceInfo ? wx.getDeviceInfo() : wx.getSystemInfoSync()

const isComputer = ['windows', 'mac', 'linux'].includes(platform)

/** How this device is called in the list of devices. */
module.exports = { type: isComputer ? 'pc' : /pad|tablet/i.test(model) ? 'tablet' : 'phone', name: model.slice(0, 20) }
