// The built file, as a mini program gets it: `npm run build` first. YAOPAI_SDK_DIST names a folder that stands in for
// `miniprogram_dist`, such as what another compiler made of it.
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = resolve(process.env.YAOPAI_SDK_DIST || fileURLToPath(new URL('../../miniprogram_dist', import.meta.url)))

export const { cookieJar, mergeCookies } = createRequire(import.meta.url)(resolve(dist, 'cookies.js'))

/** 1 November 2026, 00:00 UTC. */
export const NOW = Date.UTC(2026, 10, 1)
export const DAY = 86_400_000

/** The Cookie header that a fresh jar sends to `to` after `lines` have come from `from`. */
export function afterwards(lines, to = 'https://shop.example/', from = 'https://shop.example/', now = NOW) {
  const jar = cookieJar()
  jar.take(from, { cookies: lines }, NOW)
  return jar.header(to, now)
}
