const t = require('../i18n/index')

// What is shown otherwise: the bind page has opened, or the page itself says that the session is over.
const SHOWN = ['not_bound', 'session_kicked', 'session_replaced', 'session_ended']

/** What to tell the person of an error; '' where nothing has to be said. */
module.exports = function words(error) {
  const { code, status, message, errMsg } = error || {}
  if (SHOWN.includes(code)) return ''
  // The shop's own words, in the person's language or in both.
  if (code === 'binding_rejected' && message) return message
  if (t.errors[code]) return t.errors[code]
  if (code === undefined && /^request:fail/.test(errMsg)) return t.errors.network
  // The person has said no, which is theirs to say.
  if (/ (auth )?(deny|cancel)/.test(errMsg)) return ''
  return (code && message) || t.errors.other
}
