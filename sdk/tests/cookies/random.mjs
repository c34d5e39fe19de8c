/** Numbers that look random and are the same again for the same seed, so that a failure can be run again. */
export class Random {
  constructor(seed) {
    this.state = seed
  }

  /** 0 to `below` - 1. */
  int(below) {
    // The generator mulberry32.
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }

  pick(from) {
    return from[this.int(from.length)]
  }

  chance(percent) {
    return this.int(100) < percent
  }

  text(characters, most) {
    let text = ''
    for (let left = this.int(most + 1); left > 0; left--) text += characters[this.int(characters.length)]
    return text
  }
}
