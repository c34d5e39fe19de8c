// On which phones the scenarios are played, what each of these runs covers, and what is right there. `quirks` are those of
// e2e/phone/README.md.
//
//   YAOPAI_QUIRKS unset        CI: a phone as it should be, and two on which much is odd at once
//   YAOPAI_QUIRKS=all          each quirk alone
//   YAOPAI_QUIRKS=name,name    those: 'old iPhone', 'wrongClock a day ahead' …

const DAY = 86_400_000

const IN_CI = {
  'a phone as it should be': {},
  // install() has to define what it can't assign, nothing may count on the order of `then`, and the answer's fields have
  // other names and forms.
  'old iPhone': { accessorRequest: true, macrotaskPromise: true, noBigInt: true, noProxy: true, setCookie: 'array', headerCase: 'lower', wrongClock: -DAY },
  // install() can't take, nothing is kept, and nothing is random but Math.random.
  'full phone with a plugin': { frozenWx: true, storageFailure: 'all', noRandomValues: true, noCookies: true, setCookie: 'semicolon', headerCase: 'upper', wrongClock: DAY },
}

const ALONE = [
  ['a phone as it should be', {}],
  ...[
    { setCookie: 'array' },
    { setCookie: 'semicolon' },
    { setCookie: 'array', noCookies: true },
    { setCookie: 'semicolon', noCookies: true },
    { noCookies: true },
    { headerCase: 'lower' },
    { headerCase: 'upper' },
    { headerCase: 'title' },
    { accessorRequest: true },
    { frozenWx: true },
    { macrotaskPromise: true },
    { noBigInt: true },
    { noProxy: true },
    { noRandomValues: true },
    { storageFailure: 'read' },
    { storageFailure: 'write' },
    { storageFailure: 'all' },
    { wrongClock: DAY },
    { wrongClock: -DAY },
  ].map(quirks => [nameOf(quirks), quirks]),
]

function nameOf(quirks) {
  return Object.entries(quirks).map(([quirk, value]) => {
    if (value === true) return quirk
    return quirk === 'wrongClock' ? `${quirk} ${value > 0 ? 'a day ahead' : 'a day behind'}` : `${quirk} ${value}`
  }).join(' + ')
}

/** `[{ name, quirks, expected }]`, as the environment says. */
export function chosen(wanted = process.env.YAOPAI_QUIRKS) {
  const known = new Map([...Object.entries(IN_CI), ...ALONE])
  const names = !wanted ? Object.keys(IN_CI) : wanted === 'all' ? ALONE.map(([name]) => name) : wanted.split(',').map(name => name.trim())
  return names.map(name => {
    const quirks = known.get(name)
    if (!quirks) throw new Error(`YAOPAI_QUIRKS: no ${JSON.stringify(name)}; there are: ${[...known.keys()].join('; ')}`)
    return { name, quirks, expected: expected(quirks) }
  })
}

/** What is right on a phone, where that isn't the same on all. */
function expected({ frozenWx = false, storageFailure }) {
  return {
    /** `wx.request` is ours. Else `client.installed` is false, and the mini program asks the client itself. */
    patched: !frozenWx,
    /** The session is in the storage. */
    stored: storageFailure !== 'write' && storageFailure !== 'all',
    /** The next start finds it. Else it logs in, which the person doesn't notice. */
    remembered: storageFailure === undefined,
    /**
     * A mini program that knows wx.request alone has a session through it. Where that can't be, install() says so, and its
     * requests must go out as it made them: no step of the walk through the old mini program exists there.
     */
    movedByOneLine: !frozenWx,
  }
}
