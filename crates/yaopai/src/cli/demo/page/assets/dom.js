// Small helpers for making elements. Text always goes in as text: nothing that came over the wire is ever read as HTML.

/** An element: `h('button', {type: 'button', onclick}, 'Order')`. Properties that start with `on` are listeners. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue
    // Here false is a value; elsewhere it means that the attribute is not there.
    if (name.startsWith('aria-')) element.setAttribute(name, String(value))
    else if (value === false) continue
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value === true ? '' : value)
  }
  element.append(...children.flat(Infinity).filter(child => child !== undefined && child !== null && child !== false))
  return element
}

const SVG = 'http://www.w3.org/2000/svg'

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** A button. */
export const button = (label, press, properties = {}) => h('button', { type: 'button', onclick: press, ...properties }, label)

/** `1:04:09`, or `5 d 3:00:00`, from milliseconds; never below zero. */
export function span(milliseconds, days) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000))
  const two = n => String(n).padStart(2, '0')
  const [d, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
  const rest = hours || d ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
  return d ? `${d} ${days} ${rest}` : rest
}

/** The wall clock's time of an instant. */
export const clock = at => {
  const date = new Date(at)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(n => String(n).padStart(2, '0')).join(':')
}

/** A long id, by its two ends. */
export const short = id => (id.length > 20 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id)
