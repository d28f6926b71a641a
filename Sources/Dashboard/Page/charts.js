// Small charts of the last hour: a figure, a legend that shows the minute under the pointer, and an SVG.
import { h, put, s, say } from './dom.js'
import { minute, none } from './format.js'

const WIDTH = 600
const HEIGHT = 100

/** The next round number at or above `n`. */
function ceiling(n) {
  if (!(n > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(n))
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= n * 0.9999) ?? n
}

/**
 * A chart of minutes.
 *
 * - title: what it shows.
 * - series: `{ name, tone, value(minute) }`. Bars are stacked in this order; lines lie over each other. A null value is a gap.
 * - kind: 'bars' or 'lines'.
 * - format: a value as text.
 * - total(minutes): the figure beside the title: what the hour comes to.
 */
export function chart({ title, series, kind, format, total }) {
  const figure = h('strong', { class: 'figure' })
  const legend = h('p', { class: 'legend' })
  const top = h('span', { class: 'axis top' })
  const from = h('span')
  const plot = s('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' })
  const frame = h('div', { class: 'plot', tabindex: '0', role: 'img' }, top, plot)
  const node = h('section', { class: 'panel chart' },
    h('header', null, h('h3', null, title), figure), frame, h('p', { class: 'axis times' }, from, h('span', null, 'now')), legend)
  let minutes = []
  let chosen = null

  const entries = series.map((one) => {
    const value = h('b')
    return { one, value, node: h('span', null, h('i', { class: `swatch ${one.tone}` }), `${one.name} `, value) }
  })
  const time = h('span', { class: 'dim' })
  put(legend, time, entries.map((entry) => entry.node))

  function label() {
    const shown = chosen ?? [...minutes.keys()].reverse().find((index) => series.some((one) => one.value(minutes[index]) > 0))
    const at = minutes[shown]
    say(time, at ? minute(at.time) : 'no data')
    for (const { one, value } of entries) {
      const number = at && one.value(at)
      say(value, number === null || number === undefined ? none : format(number))
    }
    plot.querySelector('.cursor')?.setAttribute('x', chosen === null ? -WIDTH : chosen * step())
  }
  const step = () => WIDTH / Math.max(1, minutes.length)

  function choose(index) {
    chosen = index === null ? null : Math.min(minutes.length - 1, Math.max(0, index))
    label()
  }
  frame.addEventListener('pointermove', (event) => {
    const box = frame.getBoundingClientRect()
    choose(Math.floor((event.clientX - box.left) / box.width * minutes.length))
  })
  frame.addEventListener('pointerleave', () => choose(null))
  frame.addEventListener('blur', () => choose(null))
  frame.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (!by) return
    event.preventDefault()
    choose((chosen ?? (by < 0 ? minutes.length : minutes.length - 2)) + by)
  })

  function draw() {
    const values = minutes.map((at) => series.map((one) => one.value(at)))
    const peaks = values.map((row) => kind === 'bars' ? row.reduce((sum, value) => sum + (value ?? 0), 0) : Math.max(0, ...row))
    const max = ceiling(Math.max(0, ...peaks))
    const y = (value) => HEIGHT - value / max * HEIGHT
    const shapes = kind === 'bars' ? bars(values, y) : series.map((one, index) => line(values.map((row) => row[index]), y, one.tone))
    put(plot, s('line', { class: 'grid', x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
      s('rect', { class: 'cursor', x: -WIDTH, y: 0, width: step(), height: HEIGHT }), shapes)
    const isEmpty = !peaks.some((peak) => peak > 0)
    node.classList.toggle('empty', isEmpty)
    say(top, isEmpty ? '' : format(max))
    say(from, minutes.length ? minute(minutes[0].time) : '')
    frame.setAttribute('aria-label', `${title}, the last hour by minute: ${figure.textContent}`)
  }

  const bars = (values, y) => values.flatMap((row, index) => {
    let base = 0
    return row.map((value, number) => {
      if (!value) return null
      base += value
      return s('rect', {
        class: series[number].tone, x: index * step() + 0.5, width: Math.max(1, step() - 1.5), y: y(base), height: HEIGHT - y(value),
      })
    })
  })

  // A minute alone between two gaps is a short stroke.
  function line(values, y, tone) {
    let path = ''
    let isOpen = false
    values.forEach((value, index) => {
      if (value === null || value === undefined) {
        isOpen = false
        return
      }
      const x = (index + 0.5) * step()
      path += isOpen ? `L${x},${y(value)}` : `M${x - step() * 0.3},${y(value)}L${x + step() * 0.3},${y(value)}`
      isOpen = true
    })
    return s('path', { class: `line ${tone}`, d: path })
  }

  return {
    node,
    update(all) {
      minutes = all
      say(figure, total(all))
      draw()
      label()
    },
  }
}

/** A row of a list with a bar behind its number: `part` is 0 to 1 of the longest. */
export const bar = (part, tone = '') => s('svg', { class: 'bar', viewBox: '0 0 100 4', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
  s('rect', { class: 'rail', width: 100, height: 4 }), s('rect', { class: tone, width: Math.max(0, Math.min(1, part || 0)) * 100, height: 4 }))
