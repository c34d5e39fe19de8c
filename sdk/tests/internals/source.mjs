// Parts of the source that no entry shows, for vectors.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export async function source(...files) {
  const { outputFiles } = await build({
    stdin: { contents: files.map(f => `export * from './src/${f}'`).join('\n'), resolveDir: fileURLToPath(new URL('../..', import.meta.url)), loader: 'ts' },
    bundle: true, write: false, format: 'esm', target: 'es2017',
  })
  return import('data:text/javascript;base64,' + Buffer.from(outputFiles[0].text).toString('base64'))
}
