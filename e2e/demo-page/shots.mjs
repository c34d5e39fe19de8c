// Screenshots, and what can be measured in each: nothing sticks out, and text can be read.

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const LAPTOP = { width: 1440, height: 900 }
const PHONE = { width: 390, height: 844 }
const FOLDER = process.env.SCREENSHOTS
mkdirSync(FOLDER, { recursive: true })

/** Takes the page as it is: both sizes, light and dark; on the phone each of the three views. Answers how many were taken. */
export async function shoot(page, language, name) {
  let shots = 0
  const take = async what => {
    await page.screenshot({ path: join(FOLDER, `${name}-${what}-${language}.png`) })
    shots += 1
    const measured = await page.evaluate(measure)
    assert.deepEqual(measured, { wider: 0, outside: [], pale: [] }, `${name}-${what}-${language}`)
  }
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize(LAPTOP)
    await take(`laptop-${colorScheme}`)
    await page.setViewportSize(PHONE)
    for (const view of ['phone', 'session', 'wire']) {
      await page.click(`[data-view-of="${view}"]`)
      await take(`phone-${colorScheme}-${view}`)
    }
    await page.click('[data-view-of="phone"]')
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(LAPTOP)
  return shots
}

/** In the browser: how much wider than the window the page is, what sticks out, and text paler than 4.5 : 1 (WCAG 2.2, 1.4.3). */
function measure() {
  const wider = document.documentElement.scrollWidth - innerWidth
  const outside = []
  const pale = []
  const rgba = text => {
    const [r, g, b, a = 1] = (text.match(/[\d.]+/g) ?? []).map(Number)
    return text.startsWith('color(srgb') ? [r * 255, g * 255, b * 255, a] : [r, g, b, a]
  }
  const over = (top, below) => [0, 1, 2].map(n => top[n] * top[3] + below[n] * (1 - top[3]))
  const behind = element => {
    const layers = []
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor)
      layers.push(colour)
      if (colour[3] === 1) break
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255])
  }
  const light = colour => {
    const [r, g, b] = colour.map(c => c / 255).map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  for (const element of document.querySelectorAll('body *')) {
    const style = getComputedStyle(element)
    const box = element.getBoundingClientRect()
    if (!box.width || !box.height || style.visibility === 'hidden') continue
    const words = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()).join('')
    const name = `${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''} ${words.slice(0, 30)}`
    if (box.left < -0.5 || box.right > innerWidth + 0.5) outside.push(name)
    if (element.scrollWidth > element.clientWidth + 1 && style.overflowX === 'visible' && style.display !== 'inline' && words) outside.push(`text of ${name}`)
    // What can't be pressed is exempt.
    if (!words || element.closest(':disabled') || element instanceof SVGElement) continue
    const back = behind(element)
    const front = over(rgba(style.color), back)
    const [a, b] = [light(front), light(back)].sort((p, q) => q - p)
    if ((a + 0.05) / (b + 0.05) < 4.5) pale.push(`${name} ${((a + 0.05) / (b + 0.05)).toFixed(2)}`)
  }
  return { wider: Math.max(0, wider), outside, pale }
}
