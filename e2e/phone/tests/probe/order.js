// In which order a promise, an async function and a timer come.
exports.order = () => new Promise(done => {
  const order = []
  const wait = async () => {
    await null
    order.push('async')
  }
  setTimeout(() => order.push('timer'), 0)
  Promise.resolve().then(() => order.push('promise'))
  wait()
  setTimeout(() => done(order), 60)
})
