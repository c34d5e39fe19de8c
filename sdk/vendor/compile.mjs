// Puts the package through the vendor's own tools, as DevTools would: "build npm", then "compile JS to ES5". Nothing is
// asked of the network. `node compile.mjs PACKAGE OUT`: PACKAGE is what npm would publish, unpacked; prints the folder in OUT
// that stands in for its miniprogram_dist.

import { createRequire } from 'node:module'
import { generateKeyPairSync } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import assert from 'node:assert/strict'

const [from, out] = process.argv.slice(2).map(argument => resolve(argument))
rmSync(out, { recursive: true, force: true })
// It leaves folders where it is run.
mkdirSync(out, { recursive: true })
process.chdir(out)
// It gives the process that compiles 20 s to begin, and cannot be told otherwise: too few on a busy machine.
const wait = globalThis.setTimeout
globalThis.setTimeout = Object.assign((call, ms, ...rest) => wait(call, ms === 20_000 ? 180_000 : ms, ...rest), { [promisify.custom]: wait[promisify.custom] })
// Its chatter goes to stdout, which is for the answer.
console.log = console.info = console.error
const ci = createRequire(import.meta.url)('miniprogram-ci')
// It would ask WeChat for the list of file types, and goes on without.
ci.proxy('http://127.0.0.1:9')

const APPID = 'wx0123456789abcdef'
const name = 'yaopai'
const app = join(out, 'app')
function write(file, content) {
  const path = join(app, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content))
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort()
}

// The smallest mini program that uses every entry.
cpSync(from, join(app, 'node_modules', name), { recursive: true })
const { version, miniprogram } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'))
const built = filesOf(join(from, miniprogram))
const entries = built.filter(file => /^[\w-]+\.js$/.test(file)).map(file => file.replace(/(^index)?\.js$/, ''))
write('package.json', { name: 'app', version: '1.0.0', dependencies: { [name]: version } })
write('project.config.json', { appid: APPID, compileType: 'miniprogram', setting: { es6: true } })
write('app.json', { pages: ['pages/home/home'] })
write('app.js', `${entries.map(entry => `require('${name}${entry && `/${entry}`}')`).join('\n')}\nApp({})\n`)
write('pages/home/home.js', 'Page({})\n')
write('pages/home/home.json', {})
write('pages/home/home.wxml', '<view/>\n')

const packed = await ci.packNpmManually({ packageJsonPath: join(app, 'package.json'), miniprogramNpmDistDir: app })
assert.equal(packed.miniProgramPackNum, 1, 'not taken as a package for mini programs')
assert.deepEqual(packed.warnList, [])
const npm = join(app, 'miniprogram_npm', name)
assert.deepEqual(filesOf(npm), built, 'other files than those of miniprogram_dist')
for (const file of built) assert.ok(readFileSync(join(npm, file)).equals(readFileSync(join(from, miniprogram, file))), file)

// Any key will do: it signs nothing but an upload.
write('private.key', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }))
const project = new ci.Project({
  appid: APPID, type: 'miniProgram', projectPath: app, privateKeyPath: join(app, 'private.key'), ignores: ['node_modules/**/*', 'private.key'],
})
// What it would ask WeChat for.
project.attr = async () => ({ ...ci.DefaultProjectAttr, appType: 0, setting: { ...ci.DefaultProjectAttr.setting, MaxCodeSize: 2 } })
const compiled = await ci.getCompiledResult({
  project, version: '1.0.0', desc: '', setting: { es6: true, es7: true, minify: false }, onProgressUpdate() {},
}, join(out, 'app.zip'))

const es5 = join(out, 'es5')
for (const [file, content] of Object.entries(compiled)) {
  const path = join(es5, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
const dist = join(es5, 'miniprogram_npm', name)
for (const file of built.filter(file => file.endsWith('.js'))) {
  const [before, after] = [join(npm, file), join(dist, file)].map(path => readFileSync(path).length)
  console.error(`${file}: ${before} bytes, ${after} as ES5`)
}
process.stdout.write(`${dist}\n`)
// Its worker processes would keep this one alive.
process.exit(0)
