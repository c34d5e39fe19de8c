// Compares what our jar sends with what the others send, request by request.
import { readFileSync } from 'node:fs'
import { LONG, REASONS, UNORDERED } from './reasons.mjs'

const folder = process.argv[2]
const read = name => readFileSync(`${folder}/${name}`, 'utf8').trimEnd().split('\n').map(line => JSON.parse(line))
const sequences = read('sequences')
const ours = read('ours')

const pairs = field => field ? field.split('; ') : []
const without = (all, names) => all.filter(pair => !names.has(pair.split('=')[0]))
const same = (a, b) => a.join('; ') === b.join('; ')

// One sequence: what differs first, or nothing.
function difference({ seed, steps }, mine, theirs, reasons, unordered, counts) {
  const apart = new Set()
  const displaced = new Set()
  const before = []
  let at = 0
  for (const { wait, set, asks } of steps) {
    if (reasons[LONG] && wait > 400 * 86400) {
      counts[LONG] += before.length
      before.forEach(past => apart.add(past.name))
    }
    for (const [reason, { speaks, order }] of Object.entries(set ? reasons : {})) {
      if (!speaks(set, before)) continue
      counts[reason] += 1
      ;(order ? displaced : apart).add(set.name)
    }
    if (set) before.push(set)
    for (const { host, path } of asks) {
      const [a, b] = [mine[at], theirs[at]].map(field => without(pairs(field), apart))
      if (!same(a.toSorted(), b.toSorted()) || !(unordered || same(without(a, displaced), without(b, displaced)))) {
        const past = before.map(set => `  ${set.host}${set.path} sets ${set.line}`).join('\n')
        return `sequence ${seed}, a request to ${host}${path}\n  ours:   ${a.join('; ')}\n  theirs: ${b.join('; ')}\n${past}`
      }
      counts.requests += 1
      counts.cookies += a.length
      counts.apart += pairs(mine[at]).length - a.length
      at += 1
    }
  }
}

function compare(theirs, reasons, unordered, many = sequences.length) {
  const counts = { requests: 0, cookies: 0, apart: 0 }
  for (const reason of Object.keys(reasons)) counts[reason] = 0
  const unexplained = []
  sequences.slice(0, many).forEach((sequence, n) => {
    const found = difference(sequence, ours[n], theirs[n], reasons, unordered, counts)
    if (found) unexplained.push(found)
  })
  return { counts, unexplained }
}

// What is rare has its case with the seed that stands in run.sh.
const ownSeed = !process.env.YAOPAI_COOKIE_JAR_SEED
// In so many each reason has a case of its own.
const ENOUGH = 1000
const failures = []
for (const [jar, reasons] of Object.entries(REASONS)) {
  const theirs = read(jar)
  const unordered = UNORDERED.has(jar)
  const { counts, unexplained } = compare(theirs, reasons, unordered)
  console.log(`${jar}: ${sequences.length} sequences, ${counts.requests} requests, ${counts.cookies} cookies alike, ${counts.apart} left out for a reason`)
  for (const [reason, { rfc, rare }] of Object.entries(reasons)) {
    const { [reason]: _, ...others } = reasons
    const differ = compare(theirs, others, unordered, ENOUGH).unexplained.length
    console.log(`  ${String(counts[reason]).padStart(6)} times, in ${String(differ).padStart(4)} sequences the only one: ${reason} (RFC 6265, ${rfc})`)
    if (ownSeed && !rare && sequences.length >= ENOUGH && !differ) failures.push(`${jar}: a reason that explains nothing: ${reason}`)
  }
  if (unordered && sequences.length >= ENOUGH && !compare(theirs, reasons, false, ENOUGH).unexplained.length) failures.push(`${jar}: it keeps the order, too`)
  if (unexplained.length) failures.push(`${unexplained.length} sequences differ from ${jar} without a reason. The first:\n${unexplained[0]}`)
  if (counts.cookies < 10 * sequences.length) failures.push(`${jar}: too little was compared`)
}
failures.forEach(failure => console.error(failure))
process.exit(failures.length ? 1 : 0)
