// input and textarea: a field of the browser's inside an element of ours.

import { h } from '../screen/dom.mjs'

export function fields({ clock }) {
  const properties = {
    value: [null, ''], name: [String, ''], type: [String, 'text'], password: [Boolean, false], placeholder: [String, ''], placeholderStyle: [String, ''], placeholderClass: [String, ''],
    disabled: [Boolean, false], maxlength: [Number, 140], focus: [Boolean, false], confirmType: [String, 'done'], autoHeight: [Boolean, false], cursorSpacing: [Number, 0], safePassword: [String, ''],
  }
  const make = tag => ({
    properties,
    start(host, component) {
      const inner = h(`${tag}.inner`)
      host.append(inner)
      host.inner = inner
      host.first = component.data.value ?? ''
      host.press = () => inner.focus()
      host.field = {
        name: () => component.data.name,
        value: () => inner.value,
        reset: () => { inner.value = host.first },
      }
      const tell = (event, detail) => clock.deliver(() => component.triggerEvent(event, detail))
      inner.addEventListener('input', event => {
        event.stopPropagation()
        // What a handler returns replaces what was typed.
        let replaced
        component.triggerEvent('input', { value: inner.value, cursor: inner.selectionStart ?? inner.value.length, keyCode: 0 }, {
          handleListenerReturn: value => { if (typeof value === 'string') replaced = value },
        })
        if (replaced !== undefined) inner.value = replaced
        // For `model:value`: a property that an element changes by itself goes back to the page.
        component.setData({ value: inner.value })
      })
      inner.addEventListener('focus', () => tell('focus', { value: inner.value, height: 0 }))
      inner.addEventListener('blur', () => tell('blur', { value: inner.value, cursor: inner.value.length }))
      inner.addEventListener('change', event => event.stopPropagation())
      inner.addEventListener('keydown', event => {
        if (event.key === 'Enter' && tag === 'input') tell('confirm', { value: inner.value })
      })
    },
    changed: {
      value: (value, host) => {
        const text = value === null || value === undefined ? '' : String(value)
        if (host.inner.value !== text) host.inner.value = text
      },
      placeholder: (value, host) => { host.inner.placeholder = value },
      disabled: (value, host) => { host.inner.disabled = value },
      maxlength: (value, host) => { if (value >= 0) host.inner.maxLength = value; else host.inner.removeAttribute('maxlength') },
      password: (value, host, component) => { host.inner.type = value || component.data.type === 'safe-password' ? 'password' : 'text' },
      type: (value, host) => { host.inner.inputMode = { number: 'numeric', digit: 'decimal', idcard: 'text' }[value] ?? 'text' },
      focus: (value, host) => { if (value) host.inner.focus() },
    },
  })
  return { input: make('input'), textarea: make('textarea') }
}
