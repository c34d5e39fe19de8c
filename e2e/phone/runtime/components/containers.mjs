// view, text, scroll-view, swiper, navigator, form, label.

export function containers(phone) {
  return {
    text: {
      properties: { decode: [Boolean, false], selectable: [Boolean, false], userSelect: [Boolean, false] },
      changed: { selectable: (value, host) => host.toggleAttribute('selectable', Boolean(value)) },
    },
    'scroll-view': {
      properties: {
        scrollX: [Boolean, false], scrollY: [Boolean, false], scrollTop: [null, 0], scrollLeft: [null, 0], scrollIntoView: [String, ''],
        lowerThreshold: [null, 50], upperThreshold: [null, 50], refresherEnabled: [Boolean, false], refresherTriggered: [Boolean, false], enhanced: [Boolean, false], showScrollbar: [Boolean, true],
      },
      start(host, component) {
        host.addEventListener('scroll', () => {
          const { scrollTop, scrollLeft, scrollHeight, scrollWidth, clientHeight } = host
          component.triggerEvent('scroll', { scrollTop, scrollLeft, scrollHeight, scrollWidth })
          if (scrollTop + clientHeight + Number(component.data.lowerThreshold) >= scrollHeight) component.triggerEvent('scrolltolower', { direction: 'bottom' })
          if (scrollTop <= Number(component.data.upperThreshold)) component.triggerEvent('scrolltoupper', { direction: 'top' })
        })
      },
      changed: {
        scrollX: (value, host) => { host.style.overflowX = value ? 'auto' : 'hidden' },
        scrollY: (value, host) => { host.style.overflowY = value ? 'auto' : 'hidden' },
        scrollTop: (value, host) => { host.scrollTop = parseFloat(value) || 0 },
        scrollIntoView: (value, host) => { if (value) host.querySelector(`[id$="--${CSS.escape(value)}"]`)?.scrollIntoView({ block: 'start' }) },
      },
    },
    swiper: {
      properties: { indicatorDots: [Boolean, false], autoplay: [Boolean, false], interval: [Number, 5000], current: [Number, 0], circular: [Boolean, false], vertical: [Boolean, false], duration: [Number, 500] },
      start(host, component) {
        host.addEventListener('scrollend', () => {
          const current = Math.round(host.scrollLeft / Math.max(1, host.clientWidth))
          component.triggerEvent('change', { current, currentItemId: '', source: 'touch' })
        })
      },
      changed: { current: (value, host) => { host.scrollLeft = value * host.clientWidth } },
    },
    'swiper-item': { properties: { itemId: [String, ''] } },
    label: {
      properties: { for: [String, ''] },
      start(host, component) {
        host.addEventListener('click', event => {
          if (event.target.closest('wx-checkbox, wx-radio, wx-switch, wx-button, wx-input')) return
          const { for: id } = component.data
          const target = id ? host.closest('wx-page').querySelector(`[id$="--${CSS.escape(id)}"]`) : host.querySelector('wx-checkbox, wx-radio, wx-switch, wx-button, wx-input')
          target?.press?.()
        })
      },
    },
    navigator: {
      properties: { url: [String, ''], openType: [String, 'navigate'], delta: [Number, 1], target: [String, 'self'], hoverClass: [String, ''] },
      start(host, component) {
        host.addEventListener('click', () => {
          const { url, openType, delta } = component.data
          const how = { navigate: 'navigateTo', redirect: 'redirectTo', switchTab: 'switchTab', reLaunch: 'reLaunch', navigateBack: 'navigateBack' }[openType]
          if (how) phone.open(how, { url, delta, fail: detail => component.triggerEvent('fail', detail), success: detail => component.triggerEvent('success', detail) })
        })
      },
    },
    form: {
      properties: { reportSubmit: [Boolean, false] },
      start(host, component) {
        host.submit = () => component.triggerEvent('submit', { value: Object.fromEntries(fieldsOf(host).map(field => [field.name(), field.value()])) })
        host.reset = () => {
          for (const field of fieldsOf(host)) field.reset()
          component.triggerEvent('reset', {})
        }
      },
    },
  }
}

/** What of a form has a name. */
function fieldsOf(host) {
  return [...host.querySelectorAll('*')].map(element => element.field).filter(field => field?.name())
}
