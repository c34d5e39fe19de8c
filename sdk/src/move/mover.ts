import type { call } from '../request/call'
import type { end } from '../session/end'
import type { Engine } from '../session/state'
import type { Move } from '../types'

/** A move as the client sees it: it takes the place of some of the client's steps. Both come from one build of this package. */
export interface Mover extends Move {
  join(e: Engine, call: Call, end: End): void
}

export type Call = typeof call
export type End = typeof end
