import type { Answer } from '../request/transport'
import type { Engine } from './state'

/** The session is over, and a silent login is all it takes. */
export const isDead = (e: Engine, { _code: code }: Answer): boolean =>
  /^session_(missing|unknown|expired|revoked|reused|superseded)/.test(code) || (code === 'proof_required' && !e._mode)

/** The session is over, and the person must hear it. */
export const isEnded = (code: string): boolean => /^(session_(kicked|replaced|ended)|user_disabled)/.test(code)
