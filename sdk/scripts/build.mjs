// miniprogram_dist/ for the vendor's npm build, dist/*.mjs for bundlers, one file per entry, nothing shared and nothing imported.
import { existsSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const entries = { index: 'src/index.ts' }
for (const name of ['wechat-key', 'cookies', 'taro', 'uni']) {
  if (existsSync(`${root}/src/${name}/index.ts`)) entries[name] = `src/${name}/index.ts`
}
for (const folder of ['miniprogram_dist', 'dist']) rmSync(`${root}/${folder}`, { recursive: true, force: true })
const common = {
  absWorkingDir: root,
  entryPoints: entries,
  bundle: true,
  minify: true,
  target: 'es2017',
  charset: 'utf8',
  // Names that begin with _ are nobody's but ours.
  mangleProps: /^_[a-zA-Z]/,
  logLevel: 'warning',
}
await build({ ...common, format: 'cjs', outdir: 'miniprogram_dist' })
await build({ ...common, format: 'esm', outdir: 'dist', outExtension: { '.js': '.mjs' } })
