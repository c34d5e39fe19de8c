// The files of a mini program by their paths inside it, packages included.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, posix, resolve } from 'node:path'
import esbuild from 'esbuild'
import { BuildError, fromEsbuild, position } from './error.mjs'

const PACKAGES = 'miniprogram_npm'

export class Source {
  /** `packages` maps a name to the folder of a package that isn't installed under node_modules. */
  constructor(folder, packages = {}) {
    this.folder = rootOf(resolve(folder))
    this.packages = packages
    this.bundled = new Map()
  }

  has(path) {
    return this.find(path) !== undefined
  }

  text(path) {
    const found = this.find(path)
    if (found === undefined) throw new BuildError(path, 0, 0, 'no such file')
    return found.text ?? readFileSync(found.file, 'utf8')
  }

  bytes(path) {
    return readFileSync(this.find(path).file)
  }

  json(path) {
    const text = this.text(path)
    try {
      return JSON.parse(text.replace(/^\uFEFF/, ''))
    } catch (error) {
      const at = /position (\d+)/.exec(error.message)
      throw new BuildError(path, ...position(text, at ? Number(at[1]) : text.length), error.message)
    }
  }

  /** A path as it is written in a file: relative to that file, from the root if it begins with `/`. */
  join(from, name) {
    return name.startsWith('/') ? posix.normalize(name.slice(1)) : posix.normalize(posix.join(posix.dirname(from), name))
  }

  /** The first of the places in which a package may lie, from the file's folder up to the root, that has one of `tails`. */
  inPackages(from, name, tails) {
    for (let folder = posix.dirname(from); ; folder = posix.dirname(folder)) {
      for (const tail of tails) {
        const path = posix.join(folder === '.' ? '' : folder, PACKAGES, name + tail)
        if (this.has(path)) return path
      }
      if (folder === '.') return undefined
    }
  }

  find(path) {
    const file = join(this.folder, path)
    if (!path.startsWith('..') && isFile(file)) return { file }
    return path.startsWith(`${PACKAGES}/`) ? this.inNodeModules(path.slice(PACKAGES.length + 1)) : undefined
  }

  /** What the vendor's "build npm" would have put into `miniprogram_npm`: the folder made for it, or all of `main` in one file. */
  inNodeModules(path) {
    const [, name, rest] = /^((?:@[^/]+\/)?[^/]+)\/(.*)$/.exec(path) ?? []
    const root = name && this.packageRoot(name)
    if (!root) return undefined
    const about = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const made = join(root, about.miniprogram ?? 'miniprogram_dist')
    if (existsSync(made)) return isFile(join(made, rest)) ? { file: join(made, rest) } : undefined
    return rest === 'index.js' ? { text: this.bundle(name, root) } : undefined
  }

  packageRoot(name) {
    if (this.packages[name]) return resolve(this.packages[name])
    for (let folder = this.folder; ; folder = dirname(folder)) {
      const root = join(folder, 'node_modules', name)
      if (isFile(join(root, 'package.json'))) return root
      if (folder === dirname(folder)) return undefined
    }
  }

  bundle(name, root) {
    if (!this.bundled.has(name)) {
      try {
        const built = esbuild.buildSync({
          stdin: { contents: `module.exports = require(${JSON.stringify(root)})`, resolveDir: root },
          bundle: true, format: 'cjs', platform: 'neutral', mainFields: ['main'], write: false, logLevel: 'silent',
        })
        this.bundled.set(name, built.outputFiles[0].text)
      } catch (error) {
        throw fromEsbuild(name, error)
      }
    }
    return this.bundled.get(name)
  }
}

/** The folder with app.json: the one named, or the one that its project.config.json names. */
function rootOf(folder) {
  if (isFile(join(folder, 'app.json'))) return folder
  const project = join(folder, 'project.config.json')
  const named = isFile(project) && JSON.parse(readFileSync(project, 'utf8')).miniprogramRoot
  if (named && isFile(join(folder, named, 'app.json'))) return join(folder, named)
  throw new BuildError(join(folder, 'app.json'), 0, 0, 'no such file: is this the folder of a mini program?')
}

function isFile(path) {
  return existsSync(path) && statSync(path).isFile()
}
