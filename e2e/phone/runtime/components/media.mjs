// image, icon, progress, rich-text, web-view.

import { h } from '../screen/dom.mjs'

export function media({ phone, screen, clock }) {
  return {
    image: {
      properties: { src: [String, ''], mode: [String, 'scaleToFill'], lazyLoad: [Boolean, false], showMenuByLongpress: [Boolean, false] },
      start(host, component) {
        host.inner = h('img.inner', { alt: '' })
        host.append(host.inner)
        host.inner.addEventListener('load', () => clock.deliver(() => component.triggerEvent('load', { width: host.inner.naturalWidth, height: host.inner.naturalHeight })))
        host.inner.addEventListener('error', () => clock.deliver(() => component.triggerEvent('error', { errMsg: `GET ${component.data.src} failed` })))
      },
      changed: {
        src: (value, host, component) => {
          host.inner.toggleAttribute('hidden', !value)
          if (value) host.inner.src = address(value, component, phone, screen)
        },
        mode: (value, host) => host.setAttribute('mode', value),
      },
    },
    icon: {
      properties: { type: [String, ''], size: [null, 23], color: [String, ''] },
      changed: {
        type: (value, host) => host.setAttribute('type', value),
        size: (value, host) => host.style.setProperty('--size', `${parseFloat(value)}px`),
        color: (value, host) => { if (value) host.style.color = value },
      },
    },
    progress: {
      properties: { percent: [Number, 0], showInfo: [Boolean, false], strokeWidth: [null, 6], activeColor: [String, '#07c160'], color: [String, ''] },
      changed: { percent: (value, host) => host.style.setProperty('--percent', `${value}%`) },
    },
    'rich-text': {
      properties: { nodes: [null, ''], space: [String, ''] },
      changed: { nodes: (value, host) => host.replaceChildren(...rich(value)) },
    },
    'web-view': {
      properties: { src: [String, ''] },
      start(host) { host.append(host.inner = h('iframe.inner', { sandbox: 'allow-scripts allow-forms allow-same-origin', referrerpolicy: 'no-referrer' })) },
      changed: { src: (value, host) => { if (/^https?:/.test(value)) host.inner.src = value } },
    },
    video: { properties: { src: [String, ''], poster: [String, ''] } },
  }
}

/** Of a picture: of the web, of a call, or of the app's own folder. */
function address(source, component, phone, screen) {
  const held = phone.wx?.getFileSystemManager && source.startsWith('http://tmp/')
  if (held) return `data:image/png;base64,${phone.wx.getFileSystemManager().readFileSync(source, 'base64')}`
  if (/^(https?:|data:|blob:)/.test(source)) return source
  const from = component.ownerShadowRoot?.getHostNode().is ?? ''
  return screen.file(source.startsWith('/') ? source : new URL(source, `http://app/${from}`).pathname)
}

const ALLOWED = /^(a|abbr|b|br|code|div|em|h[1-6]|hr|i|img|li|ol|p|span|strong|sub|sup|table|tbody|td|th|thead|tr|u|ul)$/

/** Text with a few tags, or the vendor's tree of nodes; nothing that runs. */
function rich(nodes) {
  if (Array.isArray(nodes)) return nodes.map(fromNode)
  const parsed = new DOMParser().parseFromString(String(nodes), 'text/html').body
  return [...parsed.childNodes].map(fromDom)
}

function fromNode({ type, name = 'span', text = '', attrs = {}, children = [] }) {
  if (type === 'text') return document.createTextNode(text)
  return safe(name, Object.entries(attrs), children.map(fromNode))
}

function fromDom(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return document.createTextNode(node.textContent)
  return safe(node.localName, [...node.attributes].map(({ name, value }) => [name, value]), [...node.childNodes].map(fromDom))
}

function safe(name, attributes, children) {
  const element = document.createElement(ALLOWED.test(name) ? name : 'span')
  for (const [key, value] of attributes) {
    if (['class', 'style', 'width', 'height', 'alt', 'colspan', 'rowspan'].includes(key) || (key === 'src' && /^(https?|data:image)/.test(value))) element.setAttribute(key, value)
  }
  element.append(...children)
  return element
}
