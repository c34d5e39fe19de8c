// What comes over a page: modal, toast, action sheet, picker, the question for the phone number. Each answers what was chosen.

import { h } from './dom.mjs'

export class Sheets {
  constructor(over) {
    this.over = over
  }

  /** Shows one and waits; what the buttons give to `choose` is the answer. */
  ask(kind, build) {
    return new Promise(done => {
      const choose = answer => {
        mask.remove()
        done(answer)
      }
      const mask = h(`div.mask.mask-${kind}`, {}, build(choose))
      this.over.append(mask)
    })
  }

  modal({ title = '', content = '', showCancel = true, cancelText = '取消', confirmText = '确定', cancelColor, confirmColor, editable = false, placeholderText = '' }) {
    return this.ask('modal', choose => {
      const input = editable ? h('input.modal-input', { placeholder: placeholderText }) : undefined
      const style = color => (color ? `color:${color}` : undefined)
      return h('div.modal', { role: 'dialog' },
        title ? h('strong.modal-title', {}, title) : undefined,
        content && !editable ? h('p.modal-content', {}, content) : undefined,
        input,
        h('div.modal-buttons', {},
          showCancel ? h('button.modal-cancel', { style: style(cancelColor), onclick: () => choose({ confirm: false, cancel: true }) }, cancelText) : undefined,
          h('button.modal-confirm', { style: style(confirmColor), onclick: () => choose({ confirm: true, cancel: false, ...(input ? { content: input.value } : {}) }) }, confirmText)))
    })
  }

  /** The index of what was chosen; undefined if nothing was. */
  actions({ itemList, alertText, itemColor, cancelText = '取消' }) {
    return this.ask('bottom', choose => h('div.sheet', {},
      alertText ? h('p.sheet-note', {}, alertText) : undefined,
      ...itemList.map((item, index) => h('button.sheet-item', { style: itemColor ? `color:${itemColor}` : undefined, onclick: () => choose(index) }, item)),
      h('button.sheet-item.sheet-cancel', { onclick: () => choose(undefined) }, cancelText)))
  }

  /** The same for a picker, with the present choice marked. */
  pick(items, present, title = '') {
    return this.ask('bottom', choose => h('div.sheet.sheet-pick', {},
      h('div.sheet-head', {}, h('button.sheet-no', { onclick: () => choose(undefined) }, '取消'), h('strong', {}, title), h('span')),
      h('div.sheet-list', {}, ...items.map((item, index) => h(`button.sheet-item${index === present ? '.chosen' : ''}`, { onclick: () => choose(index) }, item)))))
  }

  /** A value of a kind that browsers have an input for: date or time. */
  enter(type, value) {
    return this.ask('bottom', choose => {
      const input = h('input.sheet-input', { type, value })
      return h('div.sheet.sheet-pick', {},
        h('div.sheet-head', {}, h('button.sheet-no', { onclick: () => choose(undefined) }, '取消'), h('span'), h('button.sheet-yes', { onclick: () => choose(input.value) }, '确定')), input)
    })
  }

  /** May the app have the phone number? */
  number(name, number) {
    return this.ask('bottom', choose => h('div.sheet.sheet-number', {},
      h('p.number-app', {}, `${name} 申请获取并验证你的手机号`),
      h('p.number-value', {}, number, h('small', {}, '微信绑定号码')),
      h('div.number-buttons', {}, h('button.number-no', { onclick: () => choose(false) }, '拒绝'), h('button.number-yes', { onclick: () => choose(true) }, '允许'))))
  }

  toast({ title, icon = 'success', mask = false }) {
    this.hideToast()
    this.shown = h(`div.toast-place${mask ? '.toast-mask' : ''}`, {}, h(`div.toast.toast-${icon}`, { role: 'status' }, icon === 'none' ? undefined : h('i.toast-icon'), h('span', {}, String(title ?? ''))))
    this.over.append(this.shown)
  }

  hideToast() {
    this.shown?.remove()
    this.shown = undefined
  }
}
