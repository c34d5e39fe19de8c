import { createHash } from 'node:crypto'

const MEMBER =
  /^[ \t]*([a-z][a-z0-9-]*)=:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?):(?:;[a-z]+(?:=[a-z]+)?)*[ \t]*$/

/**
 * Is this the body that the phone has signed? The proxy shows the check no body, so the check verifies only what the request
 * says of it. Why, and the rule: docs/body-digest.md. `body`: a Buffer with all of it, as it came.
 */
export function isBodyAsSigned(request, body) {
  // Empty for a guest without a session: nobody has signed anything then.
  if (request.headers['yaopai-body-signed'] !== '1') return true
  const values = request.headersDistinct['content-digest'] ?? []
  const digest = createHash('sha256').update(body).digest('base64')
  const members = values.join('').split(',').map(member => MEMBER.exec(member))
  if (values.length !== 1 || members.includes(null)) return false
  const ours = members.filter(member => member[1] === 'sha-256')
  return ours.length === 1 && ours[0][2] === digest
}
