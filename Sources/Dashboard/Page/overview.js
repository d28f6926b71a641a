// Is it healthy, what is slow, what fails, what does it cost: the last hour.
import { bar, chart } from './charts.js'
import { h, isInUse, list, put, say } from './dom.js'
import { clock, count, countdown, dollars, ms, none, percent, plural, rate, secondsUntil, words } from './format.js'
import { hasFailed, outcome, servedBy } from './ledger.js'
import { isAway, label, reason } from './models.js'

const sum = (minutes, value) => minutes.reduce((total, minute) => total + (value(minute) ?? 0), 0)

/** How many models that aren't ready are named. */
const MAX_ATTENTION = 12

/** The fraction of an hour's requests that failed; undefined if there were none. */
const failedPart = (hour) => hour.requests ? (hour.failed + hour.refused) / hour.requests : undefined

export function overview(app) {
  const headline = h('h2', { class: 'headline' })
  const attention = h('ul', { class: 'attention' })
  const errors = h('ul', { class: 'ranked' })
  const recent = h('ul', { class: 'recent' })
  const quantiles = (member) => [['p50', 'accent'], ['p95', 'half'], ['p99', 'third']].map(([name, tone]) =>
    ({ name, tone, value: (minute) => minute[member].count ? minute[member][name] : null }))
  // Of the last five complete minutes, from the first request on; of the running minute if there is no other.
  const perMinute = (minutes) => {
    const first = minutes.findIndex((minute) => minute.requests)
    const complete = minutes.slice(0, -1)
    const last = first < 0 || first >= complete.length ? minutes.slice(-1) : complete.slice(Math.max(first, complete.length - 5))
    return last.length ? sum(last, (minute) => minute.requests) / last.length : 0
  }
  const charts = [
    chart({
      title: 'Requests', kind: 'bars', format: count, total: (minutes) => `${rate(perMinute(minutes))}/min`,
      series: [
        { name: 'served', tone: 'accent', value: (minute) => minute.requests - minute.failed - minute.refused },
        { name: 'refused', tone: 'warn', value: (minute) => minute.refused },
        { name: 'failed', tone: 'bad', value: (minute) => minute.failed },
      ],
    }),
    chart({
      title: 'Time to first token', kind: 'lines', format: ms, series: quantiles('first_token_ms'),
      total: () => quantileFigure(app.history?.hour.first_token_ms),
    }),
    chart({
      title: 'Total time', kind: 'lines', format: ms, series: quantiles('total_ms'),
      total: () => quantileFigure(app.history?.hour.total_ms),
    }),
    chart({
      title: 'Fallbacks', kind: 'bars', format: count, total: (minutes) => count(sum(minutes, (minute) => minute.fallbacks)),
      series: [
        { name: 'served by a fallback', tone: 'accent', value: (minute) => minute.fallbacks },
        { name: 'failed attempts', tone: 'bad', value: (minute) => sum(Object.values(minute.failed_attempts), (n) => n) },
      ],
    }),
    chart({
      title: 'Tokens', kind: 'bars', format: count, total: (minutes) => count(sum(minutes, (minute) => minute.tokens.input + minute.tokens.output)),
      series: [
        { name: 'output', tone: 'accent', value: (minute) => minute.tokens.output },
        { name: 'input', tone: 'half', value: (minute) => minute.tokens.input - minute.tokens.cached },
        { name: 'cached input', tone: 'third', value: (minute) => minute.tokens.cached },
      ],
    }),
    chart({
      title: 'Cost', kind: 'bars', format: dollars, total: (minutes) => dollars(sum(minutes, (minute) => minute.cost_usd)),
      series: [{ name: 'priced responses', tone: 'accent', value: (minute) => minute.cost_usd }],
    }),
  ]
  const node = h('div', { class: 'overview' },
    h('section', { class: 'health' }, headline, attention),
    h('div', { class: 'charts' }, charts.map((one) => one.node)),
    h('div', { class: 'pair' },
      h('section', { class: 'panel' }, h('h3', null, 'Failed attempts by class, last hour'), errors),
      h('section', { class: 'panel' }, h('h3', null, 'Last failures'), recent)))

  const quantileFigure = (times) => times?.count ? `${ms(times.p50)} p50` : none

  function health() {
    const { state, history } = app
    if (!state) return say(headline, 'Reading the state…')
    const on = state.models.filter((model) => model.state !== 'off')
    const away = on.filter(isAway)
    const part = history && failedPart(history.hour)
    const failures = part ? `${percent(part)} of the last hour's requests failed.` : part === 0 ? 'No request failed in the last hour.' : 'No requests in the last hour.'
    const models = away.length === 0 ? `All ${plural(on.length, 'model')} can be called.` : `${away.length} of ${plural(on.length, 'model')} can't be called now.`
    say(headline, `${models} ${history ? failures : ''}`)
    headline.className = `headline ${away.length && away.length === on.length ? 'bad' : away.length || part > 0.05 ? 'warn' : ''}`
    list(attention, on.filter((model) => model.state !== 'ready').slice(0, MAX_ATTENTION), label, () => h('li', null, h('span'), h('span', { class: 'dim' })), (item, model) => {
      item.className = model.state === 'open' ? 'bad' : 'warn'
      const until = model.until ? secondsUntil(model.until) : 0
      say(item.firstChild, `${label(model)} ${words(model.state)}${until ? `, ${countdown(until)}` : ''}`)
      say(item.lastChild, reason(model))
    })
  }

  function failures() {
    const counts = Object.entries(app.history?.hour.failed_attempts ?? {}).sort((a, b) => b[1] - a[1])
    if (!counts.length) put(errors, h('li', { class: 'dim' }, app.history ? 'No attempt failed.' : '…'))
    else put(errors, counts.map(([name, n]) => h('li', null, h('span', null, words(name)), bar(n / counts[0][1], 'bad'), h('b', { class: 'num' }, count(n)))))
  }

  function last() {
    if (isInUse(recent)) return
    const failed = (app.ledgers ?? []).filter(hasFailed).slice(0, 8)
    if (!failed.length) return put(recent, h('li', { class: 'dim' }, app.ledgers ? 'None among the last requests.' : '…'))
    put(recent, failed.map((ledger) => h('li', null, h('a', { href: `#requests/${encodeURIComponent(ledger.request_id)}` },
      h('time', null, clock(ledger.time)), h('span', { class: outcome(ledger).tone }, ledger.status), h('span', null, servedBy(ledger)),
      h('span', { class: 'dim' }, ledger.message ?? words(ledger.error ?? ''))))))
  }

  let drawn
  return {
    name: 'overview', title: 'Overview', node,
    update() {
      health()
      last()
      if (drawn && drawn === app.history) return
      drawn = app.history
      failures()
      for (const one of charts) one.update(drawn?.minutes ?? [])
    },
  }
}
