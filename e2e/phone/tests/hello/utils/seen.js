// What happened, in order; a test reads it from globalData.
const seen = []
exports.seen = seen
