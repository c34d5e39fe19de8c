module.exports = Behavior({
  data: { times: 0 },
  methods: {
    count() {
      this.setData({ times: this.data.times + 1 })
    },
  },
})
