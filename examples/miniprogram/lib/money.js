/** ¥68.00 of 6800 fen; '' of nothing. */
module.exports = fen => (fen === undefined ? '' : `¥${(fen / 100).toFixed(2)}`)
