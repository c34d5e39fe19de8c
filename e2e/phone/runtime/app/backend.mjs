// glass-easel draws into this document, under tags that the browser doesn't know.

import { CurrentWindowBackendContext, Event } from 'glass-easel'
import { BUILT_IN } from '../components/names.mjs'

const OURS = new Set([...BUILT_IN, 'page'])
const RPX = /(-?(?:\d+\.?\d*|\.\d+))rpx\b/g

export function makeBackend() {
  const context = new CurrentWindowBackendContext()
  context.document = {
    createElement(tag) {
      const element = document.createElement(OURS.has(tag) ? `wx-${tag}` : tag)
      const set = element.setAttribute
      element.setAttribute = (name, value) => {
        set.call(element, name, name === 'style' ? String(value).replace(RPX, 'calc($1 * var(--rpx))') : value)
      }
      return element
    },
    createTextNode: text => document.createTextNode(text),
    createDocumentFragment: () => document.createDocumentFragment(),
  }
  context.onEvent((target, type, detail, options) => {
    const pointer = options.originalEvent
    const at = pointer && pointer.clientX !== undefined ? pointer : pointer?.changedTouches?.[0]
    const touch = at && { identifier: 0, clientX: at.clientX, clientY: at.clientY, pageX: at.clientX, pageY: at.clientY }
    const extraFields = touch && { touches: [touch], changedTouches: [touch] }
    const event = new Event(type, type === 'tap' ? { x: detail.x, y: detail.y } : detail, { ...options, originalEvent: undefined, extraFields })
    Event.dispatchEvent(target, event)
    return event.getEventBubbleStatus()
  })
  return context
}
