const { seen } = require('../../utils/seen')

Component({
  options: { multipleSlots: true },
  behaviors: [require('./counting')],
  properties: { title: { type: String, value: '无题', observer: 'titled' } },
  data: { length: 0 },
  observers: {
    title(title) { this.setData({ length: title.length }) },
  },
  lifetimes: {
    attached() { seen.push(`card attached ${this.data.title}`) },
    ready() { seen.push(`card ready ${this.data.title}`) },
    detached() { seen.push('card detached') },
  },
  pageLifetimes: { show() { seen.push('card page show') } },
  methods: {
    titled() {},
    tap() {
      this.count()
      this.triggerEvent('picked', { title: this.data.title, times: this.data.times })
    },
  },
})
