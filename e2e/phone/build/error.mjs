/** What is wrong with an app, and where: `pages/a/a.wxml:3:7: …`, counted from 1. */
export class BuildError extends Error {
  constructor(path, line, column, message) {
    super(`${path}${line ? `:${line}${column ? `:${column}` : ''}` : ''}: ${message}`)
    this.name = 'BuildError'
    Object.assign(this, { path, line, column })
  }
}

/** The line and column of an offset into a text, counted from 1. */
export function position(text, offset) {
  const before = text.slice(0, Math.max(0, offset))
  return [before.split('\n').length, before.length - before.lastIndexOf('\n')]
}

/** esbuild's first complaint as one of ours. */
export function fromEsbuild(path, error) {
  const first = error.errors?.[0]
  if (!first) return error
  return new BuildError(first.location?.file ?? path, first.location?.line, first.location ? first.location.column + 1 : undefined, first.text)
}
