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

function compare(jar, theirs) {
  const counts = { requests: 0, cookies: 0, apart: 0 }
  for (const reason of Object.keys(REASONS[jar])) counts[reason] = 0
  const unexplained = []
  sequences.forEach(({ seed, steps }, n) => {
    const apart = new Set()
    const displaced = new Set()
    const before = []
    for (const [at, { wait, set, ask }] of steps.entries()) {
      if (wait > 400 * 86400) {
        counts[LONG] += 1
        before.forEach(past => apart.add(past.name))
      }
      for (const [reason, { speaks, order }] of Object.entries(set ? REASONS[jar] : {})) {
        if (!speaks(set, before)) continue
        counts[reason] += 1
        ;(order ? displaced : apart).add(set.name)
      }
      if (set) before.push(set)
      const [a, b] = [ours[n][at], theirs[n][at]].map(field => without(pairs(field), apart))
      const alike = same(a.toSorted(), b.toSorted()) && (UNORDERED.has(jar) || same(without(a, displaced), without(b, displaced)))
      if (!alike) {
        const past = steps.slice(0, at + 1).map(({ wait, set }) => `  +${wait} s ${set ? `${set.host}${set.path} sets ${set.line}` : ''}`)
        unexplained.push(`sequence ${seed}, a request to ${ask.host}${ask.path}\n  ours:   ${a.join('; ')}\n  theirs: ${b.join('; ')}\n${past.join('\n')}`)
        break
      }
      counts.requests += 1
      counts.cookies += a.length
      counts.apart += pairs(ours[n][at]).length - a.length
    }
  })
  return { counts, unexplained }
}

const failures = []
for (const [jar, reasons] of Object.entries(REASONS)) {
  const { counts, unexplained } = compare(jar, read(jar))
  console.log(`${jar}: ${sequences.length} sequences, ${counts.requests} requests, ${counts.cookies} cookies alike, ${counts.apart} left out for a reason:`)
  for (const [reason, { rfc }] of Object.entries(reasons)) console.log(`  ${String(counts[reason]).padStart(7)}  ${reason} (RFC 6265, ${rfc})`)
  if (unexplained.length) failures.push(`${unexplained.length} sequences differ from ${jar} without a reason. The first:\n${unexplained[0]}`)
  // Nothing is shown by what was not compared, nor by a reason that never speaks.
  if (counts.cookies < 10 * sequences.length) failures.push(`${jar}: too little was compared`)
  const silent = Object.keys(reasons).filter(reason => !counts[reason])
  if (sequences.length >= 1000 && silent.length) failures.push(`${jar}: reasons without a case: ${silent.join('; ')}`)
}
failures.forEach(failure => console.error(failure))
process.exit(failures.length ? 1 : 0)
