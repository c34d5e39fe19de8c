Page({
  data: { typed: '', sent: '', city: 0, cities: ['北京', '上海', '广州'], upper: '', chosen: '' },
  typed({ detail }) { this.setData({ typed: detail.value }) },
  upper({ detail }) { return detail.value.toUpperCase() },
  pick({ detail }) { this.setData({ city: Number(detail.value) }) },
  radio({ detail }) { this.setData({ chosen: detail.value }) },
  submit({ detail }) { this.setData({ sent: JSON.stringify(detail.value) }) },
  async modal() {
    const { confirm } = await wx.showModal({ title: '确认', content: '真的吗？' })
    const { tapIndex } = confirm ? await wx.showActionSheet({ itemList: ['一', '二'] }) : { tapIndex: -1 }
    wx.showToast({ title: `选了 ${tapIndex}`, icon: 'none' })
  },
})
