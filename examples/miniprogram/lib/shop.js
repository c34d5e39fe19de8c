const yaopai = require('yaopai')
const { server } = require('../config')

// A plugin in app.json freezes `wx`: nothing can be put behind `wx.request` then, and the client's own does the same. Without
// plugins `wx.request` is all that is needed.
const network = yaopai.client().installed ? wx : yaopai.client()

/**
 * Asks the shop. An ordinary `wx.request`: logging in, signing, refreshing and stepping up happen behind it.
 * Rejects with `{ code?, status? }`; without both there was no connection.
 */
module.exports = function shop(method, path, data) {
  return new Promise((resolve, reject) => {
    network.request({
      url: server + path,
      method,
      data,
      success: ({ statusCode, header, data: body }) => {
        if (statusCode >= 200 && statusCode < 300) return resolve(body)
        reject({ status: statusCode, code: field(header, 'yaopai-code') })
      },
      fail: reject,
    })
  })
}

// Phones spell the names of headers as they like.
function field(header, name) {
  const found = Object.keys(header || {}).find(key => key.toLowerCase() === name)
  return found && header[found]
}
