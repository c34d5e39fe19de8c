// Templates, components and forms.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ground, HELLO } from './ground.mjs'

const here = ground()
const shown = async (phone, what) => (await phone.locate(what)).innerText()
const color = async (phone, what) => (await phone.locate(what)).evaluate(element => getComputedStyle(element).color)

test('templates: import, include, wxs, wx:for, and what setData changes', async () => {
  const phone = await here.start(HELLO)
  await phone.tap('组件')
  await phone.waitForPage('pages/parts/parts')
  assert.equal(await shown(phone, '#query'), '{"x":"1","y":"%E4%B8%AD"}')
  assert.equal(await shown(phone, '#line'), '模板：甲')
  assert.equal(await shown(phone, '#wxs'), '模B！ 42')
  await phone.waitFor('页脚 模板')
  await phone.tap('改')
  await phone.waitFor('身 丙')
  assert.equal(await phone.evaluate(({ pages }) => pages[1].component()), '甲')
})

test('components: slots, properties, observers, behaviors, events, lifetimes', async () => {
  const phone = await here.start(HELLO)
  await phone.tap('组件')
  await phone.waitFor('甲 1 0')
  await phone.waitFor('头 2')
  await phone.tap('头 2')
  await phone.waitFor('2 乙 1')
  await phone.tap('头 2')
  await phone.waitFor('2 乙 2')
  await phone.back()
  const seen = await phone.evaluate(({ app }) => app.globalData.seen.filter(line => line.startsWith('card')))
  assert.deepEqual(seen, ['card attached 甲', 'card attached 乙', 'card page show', 'card page show', 'card ready 甲', 'card ready 乙', 'card detached', 'card detached'])
})

test('styles: rpx, imports, each component for itself, pictures of the app', async () => {
  const phone = await here.start(HELLO)
  await phone.tap('组件')
  const box = await (await phone.locate('#box')).boundingBox()
  assert.equal(Math.round(box.width), 195)
  assert.equal(Math.round(box.height), 39)
  assert.equal(await color(phone, '.label'), 'rgb(1, 2, 3)')
  assert.equal(await color(phone, '甲 1 0'), 'rgb(200, 0, 0)')
  assert.equal(await (await phone.locate('wx-image')).evaluate(host => host.inner.naturalWidth), 1)
  await phone.tap('量')
  await phone.waitFor('宽 195')
})

test('a form gives what was typed, chosen and switched', async () => {
  const phone = await here.start(HELLO)
  await phone.tap('表单')
  await phone.waitForPage('pages/forms/forms')
  await phone.fill('#name', '小明')
  await phone.waitFor('小明')
  await phone.fill('#upper', 'abc')
  await phone.fill('#both', 'two')
  assert.equal(await shown(phone, '#bothtext'), 'two')
  await phone.tap('#city')
  await phone.tap('上海')
  await phone.waitFor('城市：上海')
  await phone.tap('甲')
  await phone.tap('右')
  await phone.tap('#on')
  await phone.tap('提交')
  await phone.waitFor('"name"')
  assert.deepEqual(JSON.parse(await shown(phone, '#sent')), {
    name: '小明', upper: 'ABC', both: 'two', city: 1, kinds: ['a', 'b'], one: 'y', on: true, long: '初值',
  })
  assert.equal(await shown(phone, '#chosen'), 'y')
})

test('modal, action sheet and toast are drawn, and wait for the person', async () => {
  const phone = await here.start(HELLO)
  await phone.tap('表单')
  await phone.tap('询问')
  await phone.waitFor('真的吗？')
  await phone.tap('确定')
  await phone.tap('二')
  await phone.waitFor('选了 1')
  await phone.clock(1500)
  assert.ok(!(await phone.text()).includes('选了 1'))
})
