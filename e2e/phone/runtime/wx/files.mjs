// Files: those that a call makes, and an app's own folder. They last as long as the app runs.

import { Failure } from './call.mjs'
import { fromBase64, text, toBase64, utf8 } from './bytes.mjs'

export const HOME = 'http://usr'

export class Files {
  constructor(pictures) {
    this.pictures = pictures
    this.held = new Map()
    this.next = 1
  }

  get(path) {
    return this.held.get(path)
  }

  add(bytes, path = `http://tmp/${Date.now().toString(36)}${this.next++}`) {
    this.held.set(path, bytes)
    return path
  }

  api(make) {
    const picture = () => ({ path: this.add(fromBase64(PICTURE), `http://tmp/picture${this.next++}.png`), size: atob(PICTURE).length })
    return {
      env: { USER_DATA_PATH: HOME },
      getFileSystemManager: () => this.manager(make),
      chooseImage: make('chooseImage', () => {
        const { path, size } = picture()
        return { tempFilePaths: [path], tempFiles: [{ path, size }] }
      }),
      chooseMedia: make('chooseMedia', () => {
        const { path, size } = picture()
        return { type: 'image', tempFiles: [{ tempFilePath: path, size, fileType: 'image' }] }
      }),
      arrayBufferToBase64: toBase64,
      base64ToArrayBuffer: fromBase64,
    }
  }

  manager(make) {
    const read = (path, encoding) => {
      const bytes = this.held.get(path)
      if (bytes === undefined) throw new Failure(`no such file or directory, open '${path}'`, 1300002)
      if (encoding === undefined) return bytes
      return encoding === 'base64' ? toBase64(bytes) : text(bytes)
    }
    const write = (path, data, encoding = 'utf8') => {
      if (!path.startsWith(HOME)) throw new Failure(`permission denied, open '${path}'`, 1300013)
      this.held.set(path, typeof data !== 'string' ? data : encoding === 'base64' ? fromBase64(data) : utf8(data))
    }
    const unlink = path => {
      if (!this.held.delete(path)) throw new Failure(`no such file or directory, unlink '${path}'`, 1300002)
    }
    return {
      readFile: make('readFile', ({ filePath, encoding }) => ({ data: read(filePath, encoding) })),
      writeFile: make('writeFile', ({ filePath, data, encoding }) => write(filePath, data, encoding)),
      access: make('access', ({ path }) => { read(path) }),
      unlink: make('unlink', ({ filePath }) => unlink(filePath)),
      readFileSync: read,
      writeFileSync: write,
      accessSync: path => { read(path) },
      unlinkSync: unlink,
    }
  }
}

/** One green pixel: what every photo of this phone shows. */
const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk2M/wHwAEAQH/7yMK/gAAAABJRU5ErkJggg=='
