const { seen } = require('../../utils/seen')
const server = 'https://shop.example'

Page({
  data: { steps: [], answer: '' },
  onLoad(query) {
    seen.push(`home load ${JSON.stringify(query)}`)
  },
  onShow() { seen.push('home show') },
  onReady() { seen.push('home ready') },
  onHide() { seen.push('home hide') },
  onPullDownRefresh() {
    seen.push('home pull')
    wx.stopPullDownRefresh()
  },
  note(step) {
    this.setData({ steps: this.data.steps.concat(step) })
  },
  // Everything a session needs, one after the other.
  async walk() {
    const { code } = await wx.login()
    this.note(`code ${code.length}`)
    const login = await this.request({ url: `${server}/login`, method: 'POST', header: { Cookie: 'seen=1' }, data: { code } })
    this.note(`login ${login.data.user}`)
    this.note(`cookies ${JSON.stringify(login.cookies)}`)
    const cookie = login.cookies.map(one => one.split(';')[0]).join('; ')
    wx.setStorageSync('cookie', cookie)
    await wx.setStorage({ key: 'secret', data: { cookie }, encrypt: true })
    const kept = await wx.getStorage({ key: 'secret', encrypt: true })
    this.note(`kept ${kept.data.cookie === cookie}`)
    this.note(`echo ${await this.echo(cookie)}`)
    this.note(`upload ${await this.upload()}`)
    this.note(`download ${await this.download()}`)
    const refused = await this.request({ url: `${server}/orders` })
    this.note(`orders ${refused.statusCode}`)
    if (refused.statusCode === 403) wx.navigateTo({ url: '../bind/bind?from=home' })
  },
  request(options) {
    return new Promise((success, fail) => { wx.request(Object.assign({}, options, { success, fail })) })
  },
  echo(cookie) {
    return new Promise((done, fail) => {
      const socket = wx.connectSocket({ url: 'wss://shop.example/echo', header: { cookie } })
      socket.onOpen(() => socket.send({ data: 'hello' }))
      socket.onMessage(({ data }) => {
        done(data)
        socket.close({})
      })
      socket.onError(fail)
    })
  },
  upload() {
    const files = wx.getFileSystemManager()
    const filePath = `${wx.env.USER_DATA_PATH}/a.txt`
    files.writeFileSync(filePath, '一个文件', 'utf8')
    return new Promise((done, fail) => {
      const task = wx.uploadFile({
        url: `${server}/upload`, filePath, name: 'file', formData: { about: 'text' },
        success: result => done(`${result.data} ${'header' in result} ${this.uploadCookies}`), fail,
      })
      task.onHeadersReceived(({ header }) => { this.uploadCookies = header['Set-Cookie'] })
    })
  },
  download() {
    return new Promise((done, fail) => {
      wx.downloadFile({
        url: `${server}/download`,
        success: ({ tempFilePath }) => done(wx.getFileSystemManager().readFileSync(tempFilePath, 'utf8')), fail,
      })
    })
  },
  phone({ detail }) {
    this.note(`phone ${detail.errMsg} ${detail.code ? detail.code.length : 0}`)
  },
  forms() { wx.navigateTo({ url: '/pages/forms/forms' }) },
  parts() { wx.navigateTo({ url: '/pages/parts/parts?x=1&y=%E4%B8%AD' }) },
})
