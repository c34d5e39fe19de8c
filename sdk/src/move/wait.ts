import type { JarStorage, Side } from '../types'
import { nothing } from '../util'

// In seconds: where the server has named no time, and the longest that is waited.
const UNNAMED = 3600
const LONGEST = 86400

/** Where the person is, as far as is known, and until when nobody need be asked. */
export class Wait {
  private readonly _listeners = new Set<(side: Side) => void>()
  private _storage?: JarStorage
  private _of = ''
  /** Since when (phone's clock) requests go by the client, and for how many milliseconds; 0: they don't. */
  private _since = 0
  private _ms = 0
  /** The last write; the next one waits for it. */
  private _writing?: Promise<unknown>
  _known?: Side

  constructor(private readonly _key: string) {}

  /** By the distance: a clock that was set back by more than the wait ends it, so that it lasts twice as long at most. */
  _isAside(): boolean {
    return Math.abs(Date.now() - this._since) < this._ms
  }

  /** Reads what is stored. `of`: for which app and server. */
  async _open(storage: JarStorage, of: string): Promise<void> {
    this._storage = storage
    this._of = of
    try {
      const stored = JSON.parse((await storage.read(this._key))!)
      if (stored.of !== of || !(stored.ms <= LONGEST * 1000)) return
      this._since = stored.since
      this._ms = stored.ms
      this._become(this._ms ? 'legacy' : 'yaopai')
    } catch (_) {}
  }

  _standAside(seconds?: number): void {
    this._keep(Math.min(seconds! > 0 ? seconds! : UNNAMED, LONGEST) * 1000)
    this._become('legacy')
  }

  _stayHere(): void {
    if (this._ms || !this._known) this._keep(0)
    this._become('yaopai')
  }

  _onChange(listener: (side: Side) => void): () => void {
    this._listeners.add(listener)
    return () => void this._listeners.delete(listener)
  }

  private _become(side: Side): void {
    const before = this._known
    this._known = side
    // Later, so that what a listener throws is its own.
    if (before && before !== side) this._listeners.forEach(listener => Promise.resolve(side).then(listener))
  }

  /** What can't be written is kept in memory only: then a restart knows nothing. */
  private _keep(ms: number): void {
    this._since = Date.now()
    this._ms = ms
    const text = JSON.stringify({ of: this._of, since: this._since, ms })
    const write = async (before: unknown): Promise<unknown> => {
      await before
      return this._storage && this._storage.write(this._key, text).catch(nothing)
    }
    this._writing = write(this._writing)
  }
}
