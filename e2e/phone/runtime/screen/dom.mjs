/** An element: `h('div.name', { title: 'x', onclick }, child, 'text')`. */
export function h(what, fields = {}, ...children) {
  const [tag, ...classes] = what.split('.')
  const element = document.createElement(tag)
  element.className = classes.join(' ')
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (value !== undefined) element.setAttribute(name, value)
  }
  element.append(...children.filter(child => child !== undefined))
  return element
}
