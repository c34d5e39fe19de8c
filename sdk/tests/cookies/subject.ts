// What is tested: the sources, or in YAOPAI_SDK_DIST a folder that stands in for `miniprogram_dist`, such as what another
// compiler made of it. So these tests use nothing but what the package offers.
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import * as sources from '../../src/cookies/index'

const built = process.env.YAOPAI_SDK_DIST

export const { cookieJar, mergeCookies }: typeof sources = built
  ? createRequire(resolve(built, 'index.js'))(resolve(built, 'cookies.js'))
  : sources

export type { CookieJar, JarStorage } from '../../src/cookies/index'

/** 1 November 2026, 00:00 UTC. */
export const NOW = Date.UTC(2026, 10, 1)
export const DAY = 86_400_000

/** The Cookie header that a fresh jar sends to `to` after `lines` have come from `from`. */
export function afterwards(lines: string[], to = 'https://shop.example/', from = 'https://shop.example/', now = NOW): string | undefined {
  const jar = cookieJar()
  jar.take(from, { cookies: lines }, NOW)
  return jar.header(to, now)
}
