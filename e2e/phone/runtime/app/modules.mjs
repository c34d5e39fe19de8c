/** `require` over the scripts of the bundle: each runs once, at its first use. */
export class Modules {
  constructor(scripts) {
    this.scripts = scripts
    this.loaded = new Map()
  }

  has(path) {
    return path in this.scripts
  }

  run(path) {
    if (this.loaded.has(path)) return this.loaded.get(path).exports
    const [needs, body] = this.scripts[path]
    const module = { exports: {} }
    this.loaded.set(path, module)
    const require = name => {
      const target = needs[name] ?? (this.has(name) ? name : undefined)
      if (target === undefined) throw new Error(`module '${name}' is not defined, require args is '${name}'`)
      return this.run(target)
    }
    body(require, module, module.exports)
    return module.exports
  }
}
