Page({
  data: { list: [{ id: 1, name: '甲' }, { id: 2, name: '乙' }], width: 75, hello: '模板', picked: '', query: '', box: '' },
  onLoad(query) { this.setData({ query: JSON.stringify(query) }) },
  picked({ detail, currentTarget }) { this.setData({ picked: `${currentTarget.dataset.id} ${detail.title} ${detail.times}` }) },
  more() { this.setData({ 'list[1].name': '丙', list3: 1 }) },
  measure() {
    wx.createSelectorQuery().select('#box').boundingClientRect(({ width }) => this.setData({ box: `宽 ${Math.round(width)}` })).exec()
  },
  component() { return this.selectComponent('#first').data.title },
})
