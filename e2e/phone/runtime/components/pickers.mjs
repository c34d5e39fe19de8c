// picker (one list, several lists one after the other, date, time) and slider.

import { h } from '../screen/dom.mjs'

export function pickers({ sheets, clock }) {
  const text = (item, key) => (typeof item === 'object' && item !== null ? String(item[key] ?? '') : String(item))
  const ask = {
    async selector({ range, rangeKey, value, headerText }) {
      const chosen = await sheets.pick(range.map(item => text(item, rangeKey)), Number(value), headerText)
      return chosen
    },
    async multiSelector({ range, rangeKey, value, headerText }) {
      const chosen = []
      for (const [column, items] of range.entries()) {
        const index = await sheets.pick(items.map(item => text(item, rangeKey)), Number(value?.[column] ?? 0), headerText)
        if (index === undefined) return undefined
        chosen.push(index)
      }
      return chosen
    },
    date: ({ value }) => sheets.enter('date', value),
    time: ({ value }) => sheets.enter('time', value),
  }
  return {
    picker: {
      properties: { mode: [String, 'selector'], range: [Array, []], rangeKey: [String, ''], value: [null, 0], disabled: [Boolean, false], name: [String, ''], headerText: [String, ''], start: [String, ''], end: [String, ''] },
      start(host, component) {
        host.chosen = component.data.value
        host.field = { name: () => component.data.name, value: () => host.chosen, reset: () => { host.chosen = component.data.value } }
        host.press = async () => {
          const { disabled, mode } = component.data
          if (disabled || !ask[mode]) return
          const value = await ask[mode]({ ...component.data, value: host.chosen })
          if (value === undefined) return clock.deliver(() => component.triggerEvent('cancel', {}))
          host.chosen = value
          clock.deliver(() => component.triggerEvent('change', { value: mode === 'selector' ? String(value) : value }))
        }
        host.addEventListener('click', host.press)
      },
      changed: { value: (value, host) => { host.chosen = value } },
    },
    slider: {
      properties: { min: [Number, 0], max: [Number, 100], step: [Number, 1], value: [Number, 0], disabled: [Boolean, false], showValue: [Boolean, false], name: [String, ''] },
      start(host, component) {
        const inner = h('input.inner', { type: 'range' })
        host.append(inner)
        host.inner = inner
        host.field = { name: () => component.data.name, value: () => Number(inner.value), reset: () => { inner.value = component.data.value } }
        for (const [event, name] of [['input', 'changing'], ['change', 'change']]) {
          inner.addEventListener(event, heard => {
            heard.stopPropagation()
            clock.deliver(() => component.triggerEvent(name, { value: Number(inner.value) }))
          })
        }
      },
      changed: {
        min: (value, host) => { host.inner.min = value },
        max: (value, host) => { host.inner.max = value },
        step: (value, host) => { host.inner.step = value },
        value: (value, host) => { host.inner.value = value },
        disabled: (value, host) => { host.inner.disabled = value },
      },
    },
  }
}
