const yaopai = require('yaopai')
const page = require('../../lib/page')
const t = require('../../i18n/index')

page({
  title: 'bind',

  data: { way: 0, masked: '', code: '' },

  choose(event) {
    if (this.running) return
    this.setData({ way: Number(event.currentTarget.dataset.way), notice: '', masked: '' })
  },

  byForm(event) {
    const { account, password } = event.detail.value
    if (!account || !password) return this.setData({ notice: t.bind.incomplete })
    return this.bind({ form: { account: account.trim(), password } })
  },

  byPhone(event) {
    const { code } = event.detail
    // The person has said no, which is theirs to say.
    if (!code) return this.setData({ notice: t.bind.denied })
    return this.bind({ phoneCode: code })
  },

  type(event) {
    this.setData({ code: event.detail.value.trim() })
  },

  scan() {
    wx.scanCode({
      success: ({ result }) => {
        this.setData({ code: result.trim() })
        this.preview()
      },
      // Also when the person goes back without a scan.
      fail() {},
    })
  },

  /** Whose account the code is for. Redeeming it takes the person's own word: somebody may have slipped them a code. */
  preview() {
    return this.once('preview', async () => {
      const { account } = await yaopai.client().preview(this.data.code)
      this.setData({ masked: account })
    })
  },

  confirm() {
    return this.bind({ bindCode: this.data.code })
  },

  refuse() {
    this.setData({ masked: '', code: '' })
  },

  /** Back to where the person was goes the client library. */
  bind(evidence) {
    return this.once('bind', async () => {
      this.setData({ masked: '' })
      await yaopai.client().bind(evidence)
      wx.showToast({ title: t.bind.done, icon: 'success' })
    })
  },
})
