// The ledger of one request, as a timeline and as a table of what is known of it.
import { h, s } from './dom.js'
import { bytes, clock, count, dateTime, dollars, ms, none, words } from './format.js'

/** Whether an attempt failed by itself: it wasn't only slower than another one, and no repair made it succeed. */
const isFailure = (attempt) => !attempt.repaired && attempt.class !== 'cancelled'

/** Whether another attempt followed a failed one. */
export const hasFailedOver = (ledger) => Boolean(ledger.fallback || ledger.attempts > 1 && ledger.failed?.some(isFailure))

/** How a request ended: the word, and its tone. */
export function outcome(ledger) {
  if (ledger.status === 499) return { word: 'client left', tone: 'dim' }
  if (ledger.status >= 400 || ledger.error) return { word: 'failed', tone: 'bad' }
  if (ledger.fallback) return { word: 'fallback', tone: 'warn' }
  if (ledger.failed?.some(isFailure)) return { word: 'retried', tone: 'warn' }
  return { word: 'ok', tone: 'good' }
}

export const hasFailed = (ledger) => outcome(ledger).tone === 'bad'

/** The model that served the request or was called last, else the one that was asked for. */
export const servedBy = (ledger) => ledger.model ?? ledger.requested_model ?? none

/** Steps for the ticks of an axis of `total` milliseconds: at most six. */
function step(total) {
  const power = 10 ** Math.floor(Math.log10(Math.max(total, 0.01) / 5))
  return [1, 2, 5, 10].map((n) => n * power).find((n) => total / n <= 6)
}

/**
 * The rows of a timeline: `{ name, note, tone, parts }`. Each part is `{ from, to, tone, title }` in milliseconds from the
 * request's arrival.
 */
export function rows(ledger) {
  const end = ledger.duration_ms
  const rows = []
  if (ledger.queue_ms) {
    rows.push({ name: 'in a queue', note: `waited ${ms(ledger.queue_ms)} for a slot`, parts: [{ from: 0, to: ledger.queue_ms, tone: 'wait' }] })
  }
  for (const attempt of ledger.failed ?? []) {
    const from = attempt.start_ms ?? 0
    const status = attempt.status ? `, ${attempt.status}` : ''
    const tone = attempt.repaired ? 'warn' : attempt.class === 'cancelled' ? 'wait' : 'bad'
    const to = from + (attempt.duration_ms ?? 0)
    const content = attempt.first_content_ms
    rows.push({
      name: `${attempt.provider}/${attempt.model}`, tone: tone === 'wait' ? 'dim' : tone,
      note: attempt.repaired ? `refused${status}, then repaired: ${attempt.repaired}` : `${words(attempt.reason ?? attempt.class)}${status}${content === undefined ? '' : `, first content after ${ms(content - from)}`}`,
      detail: attempt.message, at: from,
      parts: content === undefined ? [{ from, to, tone }]
        : [{ from, to: content, tone: 'half', title: 'until the first content' }, { from: content, to, tone, title: 'response' }],
    })
  }
  if (ledger.first_byte_ms !== undefined) {
    const start = ledger.upstream_start_ms ?? 0
    // A model that continues a broken stream has a first content of its own.
    const content = ledger.resumed?.at(-1)?.at_ms ?? ledger.first_content_ms
    const parts = [{ from: start, to: ledger.first_byte_ms, tone: 'wait', title: 'until the first byte' }]
    if (content !== undefined) parts.push({ from: ledger.first_byte_ms, to: content, tone: 'half', title: 'until the first content' })
    parts.push({ from: content ?? ledger.first_byte_ms, to: end, tone: hasFailed(ledger) ? 'bad' : 'accent', title: 'response' })
    rows.push({
      name: `${ledger.provider}/${ledger.model}`, at: start, parts,
      note: hasFailed(ledger) ? words(ledger.error ?? 'failed') : content !== undefined ? `first content after ${ms(content - start)}` : `first byte after ${ms(ledger.first_byte_ms - start)}`,
    })
  }
  return rows.sort((a, b) => (a.at ?? 0) - (b.at ?? 0))
}

/** The timeline of a ledger. */
export function timeline(ledger) {
  const total = Math.max(ledger.duration_ms, 0.01)
  const x = (milliseconds) => Math.min(1000, Math.max(0, milliseconds / total * 1000))
  const track = (row) => s('svg', { class: 'track', viewBox: '0 0 1000 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    s('rect', { class: 'rail', width: 1000, height: 10 }),
    row.parts.map((part) => s('rect', { class: part.tone, x: x(part.from), width: Math.max(2, x(part.to) - x(part.from)), height: 10 },
      part.title ? s('title', null, `${part.title}: ${ms(part.to - part.from)}`) : null)))
  const ticks = []
  for (let n = 0; n * step(total) <= total * 0.95; n++) ticks.push(Number((n * step(total)).toPrecision(6)))
  const axis = s('svg', { class: 'ticks', 'aria-hidden': 'true' },
    ticks.map((at) => s('text', { x: `${at / total * 100}%`, y: 12, 'text-anchor': at === 0 ? 'start' : 'middle' }, at < 1000 ? `${at} ms` : `${at / 1000} s`)))
  const listed = rows(ledger)
  return h('div', { class: 'timeline' },
    listed.length ? h('ol', null, listed.map((row) => h('li', null,
      h('div', { class: 'row-head' }, h('b', null, row.name), h('span', { class: row.tone ?? 'dim' }, row.note),
        h('span', { class: 'num dim' }, ms(row.parts.at(-1).to - row.parts[0].from))),
      track(row), row.detail ? h('p', { class: 'message' }, row.detail) : null)))
      : h('p', { class: 'dim' }, 'No model was called.'),
    listed.length ? axis : null,
    ledger.skipped?.length ? h('p', { class: 'dim' }, 'Skipped: ', ledger.skipped.map((skipped, index) => [index ? ', ' : '',
      `${skipped.provider ? `${skipped.provider}/` : ''}${skipped.model} (${words(skipped.why)}${skipped.until ? ` until ${clock(skipped.until)}` : ''})`])) : null,
    ledger.resumed?.length ? h('p', { class: 'dim' }, 'Continued by another model after ', ledger.resumed.map((point) =>
      `${bytes(point.text_bytes)} of ${point.provider}/${point.model}`).join(', ')) : null)
}

/** What else is known, as names and values. */
export function facts(ledger) {
  const tokens = (n, of) => n === undefined ? null : `${count(n)} ${of}`
  const entries = [
    ['Status', `${ledger.status}${ledger.error ? `, ${ledger.error}` : ''}`], ['Message', ledger.message],
    ['Ended', dateTime(ledger.time)], ['Total', ms(ledger.duration_ms)],
    ['Asked for', ledger.requested_model ?? 'no model'], ['Route', ledger.route], ['Key', ledger.key],
    ['Endpoint', `${ledger.method ?? ''} ${ledger.path ?? ledger.endpoint}`], ['Streamed', ledger.stream === undefined ? null : ledger.stream ? 'yes' : 'no'],
    ['Attempts', ledger.attempts], ['Hedged', ledger.hedged ? 'yes' : null], ['Planned in', ledger.plan_ms === undefined ? null : `${ledger.plan_ms.toFixed(3)} ms`],
    ['Tokens', [tokens(ledger.prompt_tokens, 'in'), tokens(ledger.cached_tokens, 'cached'), tokens(ledger.completion_tokens, 'out'),
      tokens(ledger.reasoning_tokens, 'reasoning')].filter(Boolean).join(', ')
      + (ledger.usage_source === 'reported' || !ledger.usage_source ? '' : ` (${ledger.usage_source})`)],
    ['Cost', ledger.cost_usd === undefined ? null : dollars(ledger.cost_usd)],
    ['Bytes', `${bytes(ledger.bytes_in)} in, ${bytes(ledger.bytes_out)} out`], ['Client', ledger.remote],
    ['Request id', ledger.request_id], ['Upstream id', ledger.upstream_request_id], ['Policy', ledger.config],
  ]
  return h('dl', { class: 'facts' }, entries.filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([name, value]) => [h('dt', null, name), h('dd', null, value)]))
}
