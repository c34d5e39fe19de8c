// The storage: in memory here, each change told to the client, which keeps it over restarts.

import { Failure } from './call.mjs'

export class Storage {
  constructor({ link, quirks }, kept) {
    Object.assign(this, { link, quirks })
    this.items = new Map(kept.map(item => [item.key, item]))
  }

  api(make) {
    const sync = (name, work) => (...args) => {
      try {
        return work(...args)
      } catch (error) {
        throw new Error(`${name}:fail ${error.message}`)
      }
    }
    const set = ({ key, data, encrypt = false }) => { this.set(key, data, encrypt) }
    const get = ({ key, encrypt = false }) => {
      const item = this.get(key, encrypt)
      if (item === undefined) throw new Failure('data not found')
      return { data: item }
    }
    const info = () => ({ keys: [...this.items.keys()], currentSize: Math.ceil(this.size() / 1024), limitSize: 10240 })
    return {
      setStorage: make('setStorage', set),
      getStorage: make('getStorage', get),
      removeStorage: make('removeStorage', ({ key }) => { this.remove(key) }),
      clearStorage: make('clearStorage', () => { this.clear() }),
      getStorageInfo: make('getStorageInfo', info),
      setStorageSync: sync('setStorageSync', (key, data) => this.set(key, data, false)),
      getStorageSync: sync('getStorageSync', key => this.get(key, false) ?? ''),
      removeStorageSync: sync('removeStorageSync', key => this.remove(key)),
      clearStorageSync: sync('clearStorageSync', () => this.clear()),
      getStorageInfoSync: sync('getStorageInfoSync', info),
    }
  }

  /** An item written with `encrypt` is there for a read with it, and for no other; and the other way round. */
  get(key, encrypted) {
    this.refuse('read')
    const item = this.items.get(String(key))
    return item && item.encrypted === encrypted ? JSON.parse(item.value) : undefined
  }

  set(key, data, encrypted) {
    this.refuse('write')
    if (key === undefined || key === '') throw new Failure('parameter error: key should be a string that is not empty')
    const item = { key: String(key), value: JSON.stringify(data ?? null), encrypted }
    if (item.value.length > (encrypted ? 716_800 : 1_048_576)) throw new Failure('entry size limit reached')
    this.items.set(item.key, item)
    this.link.post({ type: 'store', ...item })
  }

  remove(key) {
    this.refuse('write')
    this.items.delete(String(key))
    this.link.post({ type: 'store', key: String(key), value: null })
  }

  clear() {
    this.refuse('write')
    this.items.clear()
    this.link.post({ type: 'store.clear' })
  }

  size() {
    return [...this.items.values()].reduce((sum, item) => sum + item.key.length + item.value.length, 0)
  }

  refuse(what) {
    const { storageFailure } = this.quirks
    if (storageFailure === true || storageFailure === 'all' || storageFailure === what) throw new Failure(`${what} failed`)
  }
}
