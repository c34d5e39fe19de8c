// button: forms, and what needs the person's word.

export function button({ phone, sheets, clock, link, name }) {
  const asked = {
    async getPhoneNumber(component) {
      const number = await link.call('phoneNumber.show')
      if (!await sheets.number(name, number.masked)) return component.triggerEvent('getphonenumber', { errMsg: 'getPhoneNumber:fail user deny' })
      component.triggerEvent('getphonenumber', { ...await link.call('phoneNumber'), errMsg: 'getPhoneNumber:ok' })
    },
    async getUserInfo(component) {
      const answered = await link.call('userInfo')
      component.triggerEvent('getuserinfo', { ...answered, userInfo: JSON.parse(answered.rawData), errMsg: 'getUserInfo:ok' })
    },
    async openSetting(component) {
      component.triggerEvent('opensetting', { authSetting: {}, errMsg: 'openSetting:ok' })
    },
    async share() {
      phone.pages.life(phone.pages.top, 'onShareAppMessage', { from: 'button' })
    },
  }
  return {
    button: {
      properties: {
        type: [String, 'default'], size: [String, 'default'], plain: [Boolean, false], disabled: [Boolean, false], loading: [Boolean, false],
        formType: [String, ''], openType: [String, ''], hoverClass: [String, ''], lang: [String, 'en'],
      },
      start(host, component) {
        host.setAttribute('role', 'button')
        const press = () => {
          const { disabled, formType, openType } = component.data
          if (disabled) return
          const form = host.closest('wx-form')
          if (formType === 'submit') form?.submit()
          if (formType === 'reset') form?.reset()
          asked[openType]?.(component).catch(error => clock.deliver(() => component.triggerEvent(openType.toLowerCase(), { errMsg: `${openType}:fail ${error.reason ?? error.message}`, errno: error.errno })))
        }
        host.press = press
        host.addEventListener('click', press)
      },
      changed: {
        type: (value, host) => host.setAttribute('type', value),
        size: (value, host) => host.setAttribute('size', value),
        plain: (value, host) => host.toggleAttribute('plain', value),
        disabled: (value, host) => host.toggleAttribute('disabled', value),
        loading: (value, host) => host.toggleAttribute('loading', value),
      },
    },
  }
}
