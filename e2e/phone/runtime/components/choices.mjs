// checkbox, radio, switch, and their groups.

export function choices({ clock }) {
  const item = (tag, group) => ({
    properties: { value: [String, ''], checked: [Boolean, false], disabled: [Boolean, false], color: [String, ''] },
    start(host, component) {
      host.chosen = () => host.hasAttribute('checked')
      host.valueOf = () => component.data.value
      host.press = () => {
        if (component.data.disabled) return
        const all = host.closest(`wx-${group}`)
        if (tag === 'radio') {
          if (host.chosen()) return
          for (const other of all?.querySelectorAll(`wx-${tag}`) ?? []) other.removeAttribute('checked')
          host.setAttribute('checked', '')
        } else {
          host.toggleAttribute('checked')
        }
        all?.changed()
      }
      host.addEventListener('click', host.press)
    },
    changed: {
      checked: (value, host) => host.toggleAttribute('checked', Boolean(value)),
      disabled: (value, host) => host.toggleAttribute('disabled', value),
      color: (value, host) => { if (value) host.style.setProperty('--chosen', value) },
    },
  })
  const group = (tag, read) => ({
    properties: { name: [String, ''] },
    start(host, component) {
      const value = () => read([...host.querySelectorAll(`wx-${tag}`)].filter(one => one.chosen()).map(one => one.valueOf()))
      host.changed = () => clock.deliver(() => component.triggerEvent('change', { value: value() }))
      host.field = { name: () => component.data.name, value, reset: () => { for (const one of host.querySelectorAll(`wx-${tag}`)) one.removeAttribute('checked') } }
    },
  })
  return {
    checkbox: item('checkbox', 'checkbox-group'),
    radio: item('radio', 'radio-group'),
    'checkbox-group': group('checkbox', values => values),
    'radio-group': group('radio', values => values[0] ?? ''),
    switch: {
      properties: { checked: [Boolean, false], disabled: [Boolean, false], type: [String, 'switch'], color: [String, ''], name: [String, ''] },
      start(host, component) {
        host.setAttribute('role', 'switch')
        host.press = () => {
          if (component.data.disabled) return
          host.toggleAttribute('checked')
          clock.deliver(() => component.triggerEvent('change', { value: host.hasAttribute('checked') }))
        }
        host.addEventListener('click', host.press)
        host.field = { name: () => component.data.name, value: () => host.hasAttribute('checked'), reset: () => host.removeAttribute('checked') }
      },
      changed: {
        checked: (value, host) => host.toggleAttribute('checked', Boolean(value)),
        disabled: (value, host) => host.toggleAttribute('disabled', value),
        color: (value, host) => { if (value) host.style.setProperty('--chosen', value) },
      },
    },
  }
}
