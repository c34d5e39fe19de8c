// What happened, in order; a test reads it by wx.seen.
const seen = []
exports.seen = seen
