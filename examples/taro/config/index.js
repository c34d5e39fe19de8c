// PATCH=no: a build that leaves wx as it is, and sends by the interceptor.
const patch = process.env.PATCH !== 'no'

module.exports = {
  projectName: 'shop',
  designWidth: 750,
  deviceRatio: { 750: 1 },
  sourceRoot: 'src',
  outputRoot: patch ? 'dist' : 'dist-unpatched',
  defineConstants: { PATCH: JSON.stringify(patch) },
  framework: 'react',
  compiler: { type: 'webpack5', prebundle: { enable: false } },
  cache: { enable: false },
  mini: {},
}
