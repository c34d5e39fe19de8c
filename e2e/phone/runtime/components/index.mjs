// The tags that the vendor brings. Each is an element with a slot; what it does beyond that is in the other files of this folder.

import { BUILT_IN } from './names.mjs'
import { button } from './button.mjs'
import { choices } from './choices.mjs'
import { containers } from './containers.mjs'
import { fields } from './fields.mjs'
import { media } from './media.mjs'
import { pickers } from './pickers.mjs'

/** `phone` is what they may use of the phone: screen, sheets, clock, link. */
export function defineBuiltIns(space, phone) {
  const all = { ...containers(phone), ...button(phone), ...fields(phone), ...choices(phone), ...pickers(phone), ...media(phone) }
  for (const tag of BUILT_IN) space.setGlobalUsingComponent(tag, define(space, tag, all[tag] ?? {}))
}

/**
 * `properties`: name to [type, value]. `start(host, component)` runs when the element is there; `changed` has a function for each property
 * that is to be looked at, with the value, the element and the component.
 */
function define(space, tag, { properties = {}, start, changed = {} }) {
  const own = { hidden: [Boolean, false], ...properties }
  const watchers = {
    hidden: (value, host) => host.toggleAttribute('hidden', Boolean(value)),
    ...changed,
  }
  return space.defineComponent({
    is: `wx://${tag}`,
    options: { propertyPassingDeepCopy: 'simple', dynamicSlots: false },
    properties: Object.fromEntries(Object.entries(own).map(([name, [type, value]]) => [name, { type, value }])),
    observers: Object.entries(watchers).map(([name, run]) => ({
      fields: name,
      observer(value) { if (this.$$?.started) run(value, this.$$, this) },
    })),
    lifetimes: {
      attached() {
        const host = this.$$
        if (host.started) return
        host.started = true
        start?.(host, this)
        for (const [name, run] of Object.entries(watchers)) run(this.data[name], host, this)
      },
    },
  })
}
