/** All that the phones were answered: whose name the back end gave, and what must not have been. */
export class Ledger {
  /** Of each kind, so many. */
  counts = {}
  /** What must be empty: what went wrong, with the person's name. */
  wrong = []

  watch(person, phone) {
    phone.onAnswer = answer => this.#judge(person, answer)
    phone.onSeen = ({ modal, page }) => {
      if (modal !== undefined) this.#blame(person, 'shown', modal)
      if (page === '/pages/bind/bind' && phone.isBound()) this.#blame(person, 'sent to the bind page', page)
    }
  }

  #judge(person, answer) {
    const kind = this.#kind(person, answer)
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
    if (!GOOD.has(kind)) this.#blame(person, kind, answer)
  }

  #kind({ member }, { path, wasBound, status, code, data, failed }) {
    if (failed !== undefined) return 'no answer'
    if (code === 'upstream_failed') return 'cut under way'
    if (code === 'not_bound' || data?.errno === 502) return wasBound ? 'not bound, but was' : 'asked to bind'
    if (data?.errno === 501) return 'asked to log in as of old'
    if (status !== 200 || data?.errno !== 0) return 'refused'
    if (path !== '/mine') return 'done'
    if (data.name === member.name) return 'own name'
    if (data.name !== '') return 'another’s name'
    return wasBound ? 'a guest, but was bound' : 'not yet bound'
  }

  #blame({ member }, what, more) {
    if (this.wrong.length < 20) this.wrong.push(`${member.name}: ${what}: ${JSON.stringify(more)}`)
  }
}

// `asked to log in as of old`: the back end has forgotten a session of its own, and the old code logs in, unseen.
const GOOD = new Set(['own name', 'not yet bound', 'done', 'asked to bind', 'asked to log in as of old', 'cut under way'])
