// Registries that sell names one level further down. The full list of public suffixes weighs more than a mini
// program's whole share of code; README.md says what that leaves open.
const SECOND_LEVEL = /^(ac|co|com|edu|go|gob|gov|mil|ne|net|or|org)$/
const PROVINCES = /^(ah|bj|cq|fj|gd|gs|gx|gz|ha|hb|he|hi|hk|hl|hn|jl|js|jx|ln|mo|nm|nx|qh|sc|sd|sh|sn|sx|tj|tw|xj|xz|yn|zj)$/

function isAddress(host: string): boolean {
  return host.indexOf(':') >= 0 || /(^|\.)\d+$/.test(host)
}

/** Whether a cookie for all of `domain` would reach sites of strangers. */
export function isPublicSuffix(domain: string): boolean {
  const labels = domain.split('.')
  if (labels.length === 1) return true
  if (labels.length > 2 || labels[1].length !== 2) return false
  return SECOND_LEVEL.test(labels[0]) || (labels[1] === 'cn' && PROVINCES.test(labels[0]))
}

/** RFC 6265 §5.1.3: the same, or `domain` is a parent of a host that is a name and not an address. */
export function domainMatches(host: string, domain: string): boolean {
  if (host === domain) return true
  return host.slice(-domain.length - 1) === '.' + domain && !isAddress(host)
}

/**
 * Whom a cookie is for (RFC 6265 §5.3, steps 4 to 6): this host alone, this domain and what is below it, or nobody,
 * when the host may not speak for the domain that it names.
 */
export function scopeOf(host: string, named: string): { domain: string; hostOnly: boolean } | undefined {
  if (!named || (host === named && (isPublicSuffix(named) || isAddress(named)))) return { domain: host, hostOnly: true }
  if (isPublicSuffix(named) || !domainMatches(host, named)) return undefined
  return { domain: named, hostOnly: false }
}
