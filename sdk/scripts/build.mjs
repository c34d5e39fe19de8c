// miniprogram_dist/ for the vendor's npm build, dist/*.mjs for bundlers: one file per entry, nothing shared and nothing imported.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { minify } from 'terser'

const root = fileURLToPath(new URL('..', import.meta.url))
const entries = {}
for (const name of ['index', 'wechat-key', 'cookies', 'move', 'taro', 'uni']) {
  const file = name === 'index' ? 'src/index.ts' : `src/${name}/index.ts`
  if (existsSync(`${root}/${file}`)) entries[name] = file
}
for (const folder of ['miniprogram_dist', 'dist']) rmSync(`${root}/${folder}`, { recursive: true, force: true })
const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  target: 'es2017',
  charset: 'utf8',
  // Names that begin with _ are nobody's but ours.
  mangleProps: /^_[a-zA-Z]/,
  logLevel: 'warning',
}
// The same short names in each, as `move` is given the client's own parts; the shortest for the default entry.
const { mangleCache } = await build({ ...common, mangleCache: {}, entryPoints: [entries.index], format: 'esm', write: false })
const { metafile } = await build({
  ...common, mangleCache, entryPoints: entries, format: 'esm', outdir: 'dist', outExtension: { '.js': '.mjs' }, metafile: true,
})
// esbuild's own way to CommonJS costs half a kilobyte: getters, and a mark of ES modules.
for (const [name, file] of Object.entries(entries)) {
  const names = metafile.outputs[`dist/${name}.mjs`].exports.join(', ')
  await build({
    ...common,
    mangleCache,
    stdin: { contents: `import { ${names} } from './${file}'\nmodule.exports = { ${names} }`, resolveDir: root, loader: 'ts' },
    format: 'cjs',
    outfile: `miniprogram_dist/${name}.js`,
    logOverride: { 'commonjs-variable-in-esm': 'silent' },
  })
}
// Another 2 %: esbuild goes over the code once.
for (const name in entries) {
  for (const [file, module] of [[`dist/${name}.mjs`, true], [`miniprogram_dist/${name}.js`, false]]) {
    const path = `${root}/${file}`
    const { code } = await minify(readFileSync(path, 'utf8'), { ecma: 2017, module, toplevel: true, compress: { passes: 2 } })
    writeFileSync(path, code)
  }
}
