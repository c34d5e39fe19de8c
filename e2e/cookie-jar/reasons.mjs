// Why two jars may differ. Each reason names the line of RFC 6265 that ours keeps to and says of which answers it speaks: a
// cookie that such an answer sets is left out of the comparison with that jar from then on; if the reason is about order, only
// its place is. README.md has the same table.

const named = (set, name) => set.attributes.filter(([key]) => key === name).map(([, value]) => value)
const host = ({ host }) => host.replace(/:.*/, '').toLowerCase()
const isAddress = text => /^[\d.]+$/.test(text)
const domain = set => (named(set, 'domain').filter(value => value).at(-1) ?? '').toLowerCase().replace(/^\./, '')
const twice = set => ['domain', 'path', 'expires'].some(name => named(set, name).length > 1)
const lives = set => named(set, 'max-age').length + named(set, 'expires').length > 0
const alike = (set, before) => before.filter(past => past.name === set.name)
// With a day of the week, in an order and with a number of digits that Netscape's specification knows, and a year of our time.
const usualDate = text => /^[A-Z][a-z]+, \d\d[ -][A-Z][a-z]{2}[ -](\d{4}|26) \d\d:\d\d:\d\d GMT$/.test(text)
const noDate = text => text === '' || text === 'soon'

// compare.mjs sees to this one: of all cookies that were there before such a wait.
export const LONG = 'ours outlives no 400 days'

export const REASONS = {
  'tough-cookie': {
    [LONG]: { rfc: '4.1.2.1, 4.1.2.2', speaks: () => false },
    'it has the list of public suffixes': {
      rfc: '5.3 step 5',
      speaks: set => domain(set) === 'com.cn' && host(set).endsWith('com.cn'),
    },
    'it remembers the age of a cookie that has expired': {
      rfc: '5.3, last paragraphs',
      order: true,
      speaks: (set, before) => alike(set, before).some(lives),
    },
  },
  'http.cookiejar': {
    [LONG]: { rfc: '4.1.2.1, 4.1.2.2', speaks: () => false },
    'it keeps a line without =': { rfc: '5.2 step 2', speaks: set => !set.pair.includes('=') },
    'it drops a cookie for a Max-Age that is no number': {
      rfc: '5.2.2',
      speaks: set => named(set, 'max-age').some(value => !/^-?\d+$/.test(value ?? '')),
    },
    'it reads other dates': {
      rfc: '5.1.1',
      speaks: set => named(set, 'expires').some(value => !usualDate(value) && !noDate(value)) || named(set, 'expires').some(value => value.includes('31 Feb') || value.includes('24:00')),
    },
    'of an attribute that is named twice it takes the first': { rfc: '5.3 steps 3, 4 and 7', speaks: twice },
    'it drops a cookie for an empty Domain': {
      rfc: '5.2.3',
      speaks: set => named(set, 'domain').some(value => value.replace('.', '') === ''),
    },
    'it lets any host remove a cookie, whose Domain it names': {
      rfc: '5.3 step 6',
      // Twice in ten thousand sequences.
      rare: true,
      speaks: set => lives(set) && domain(set) !== '' && !`.${host(set)}`.endsWith(`.${domain(set)}`),
    },
    'it takes an address for a name': {
      rfc: '5.1.3',
      speaks: set => isAddress(host(set)) && isAddress(domain(set)) && domain(set) !== host(set),
    },
    'it takes a Path that begins with no slash, and none without a value': {
      rfc: '5.2.4',
      speaks: set => named(set, 'path').some(value => value === null || (value !== '' && value[0] !== '/')),
    },
    'a cookie with the Domain of its host is another than one without': {
      rfc: '5.3 step 11',
      speaks: (set, before) => alike(set, before).some(past => {
        const where = of => domain(of) || host(of)
        return where(past) === where(set) && !domain(past) !== !domain(set)
      }),
    },
  },
}

/** What is sent by it in no order of age (section 5.4 step 2: SHOULD). */
export const UNORDERED = new Set(['http.cookiejar'])
