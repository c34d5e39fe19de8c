const BODY_MAX = 64 * 1024

/** The whole body as it came, before any parser; undefined if it is too large. */
export async function read(request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > BODY_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function answer(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}

/** The object that a JSON text holds; an empty one for anything else. */
export function parsed(body) {
  try {
    return Object(JSON.parse(body))
  } catch {
    return {}
  }
}
