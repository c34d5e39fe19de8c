// Pages, components and behaviors, by the vendor's component framework.

import { MiniProgramEnv } from 'glass-easel-miniprogram-adapter'
import { makeBackend } from './backend.mjs'
import { defineBuiltIns } from '../components/index.mjs'

export class Registry {
  constructor(bundle, modules, builtIns) {
    this.bundle = bundle
    this.modules = modules
    this.current = undefined
    this.env = new MiniProgramEnv()
    this.space = this.env.createCodeSpace('app', true)
    this.backend = this.env.associateBackend(makeBackend())
    defineBuiltIns(this.space.getComponentSpace(), builtIns)
    this.formField = formField(this.space)
    this.space.setOverallBehavior(readiness(this.space.getComponentSpace()))
    for (const [path, config] of Object.entries(bundle.config.units)) {
      this.space.addComponentStaticConfig(path, { ...config })
      this.space.addStyleSheet(path, undefined, styleName(path))
      const content = bundle.templates[path]
      if (content) this.space.addCompiledTemplate(path, { groupList: bundle.templates, content })
    }
    addStyle(bundle.styles.app)
  }

  /** The globals by which scripts register things. */
  globals() {
    return {
      Page: definition => this.page(definition),
      Component: definition => this.component(definition),
      Behavior: definition => this.behavior(definition),
    }
  }

  /** Runs the script of a page or component, which registers it. */
  run(path) {
    this.current = path
    this.modules.run(this.modules.has(`${path}.js`) ? `${path}.js` : `${path}.ts`)
    this.current = undefined
    const config = this.space.getComponentStaticConfig(path)
    const css = this.bundle.styles[path]
    if (!css) return
    const shared = !config.component || ['shared', 'page-shared'].includes(config.styleIsolation)
    addStyle(css.replaceAll('%%host', styleName(path)).replaceAll('%%', shared ? '' : `${styleName(path)}--`))
  }

  page(definition) {
    const { path, env } = this.registering('Page')
    return env(({ Page }) => Page(this.behaviors(definition)), path)
  }

  component(definition) {
    const { path, env } = this.registering('Component')
    const { options = {} } = definition
    // The adapter reads these from the JSON only; most apps write them here.
    const config = this.space.getComponentStaticConfig(path)
    if (options.styleIsolation) config.styleIsolation ??= options.styleIsolation
    if (options.addGlobalClass) config.addGlobalClass ??= true
    return env(({ Component }) => Component(this.behaviors(definition)), path)
  }

  behavior(definition) {
    return this.space.componentEnv('', ({ Behavior }) => Behavior(this.behaviors(definition)))
  }

  registering(what) {
    const path = this.current
    if (path === undefined) throw new Error(`${what}() outside the script of a page or component`)
    return { path, env: (run, of) => this.space.componentEnv(of, run) }
  }

  /** The vendor's own behaviors have names in place of values. */
  behaviors(definition) {
    if (!definition.behaviors) return definition
    const known = definition.behaviors
      .map(behavior => (behavior === 'wx://form-field' ? this.formField : behavior))
      .filter(behavior => typeof behavior !== 'string')
    return { ...definition, behaviors: known }
  }

  /** An instance of a page, in no document yet. */
  create(path, url) {
    return this.backend.createRoot('page', this.space, url ?? path)
  }
}

/** The framework says when a component is attached, and leaves `ready` to us. */
function readiness(space) {
  return space.defineBehavior({
    lifetimes: { attached() { queueMicrotask(() => this._$.triggerLifetime('ready', [])) } },
  })
}

function formField(space) {
  return space.behavior().definition({
    properties: { name: String, value: null },
    attached() {
      this._$.$$.field = { name: () => this.data.name, value: () => this.data.value, reset: () => {} }
    },
  }).register()
}

function styleName(path) {
  return path.replace(/[^\w-]/g, '-')
}

function addStyle(css) {
  if (!css) return
  const style = document.createElement('style')
  style.textContent = css
  document.head.append(style)
}
