// The models: what each is ready for and why not, its statistics and limits, and the reset.
import { bar } from './charts.js'
import { h, list, put, say } from './dom.js'
import { clock, count, countdown, ms, none, percent, plural, secondsUntil, words } from './format.js'
import { post } from './router.js'

export const label = (model) => `${model.provider}/${model.model}`

/** Whether a model takes no request now. A half-open one takes single requests, which probe it. */
export const isAway = ({ state }) => !['ready', 'half-open', 'off'].includes(state)

/** The tone of a state, in the words of `explain`. */
export const tone = (state) => ({ ready: 'good', 'half-open': 'warn', probing: 'warn', open: 'bad', off: 'dim', down: 'bad' })[state] ?? 'warn'

/** Why a model can't be called; empty if it can. */
export function reason(model) {
  if (model.state === 'off') return `set ${model.unset.join(', ')}`
  const { breaker } = model
  if (breaker.opened && breaker.state !== 'closed') {
    const { at, class: failure, status, message } = breaker.opened
    return `since ${clock(at)}: ${words(failure)}${status ? ` ${status}` : ''}, ${message}`
  }
  if (breaker.account !== 'closed') return `the provider's account: breaker ${words(breaker.account)}`
  return breaker.failures_in_row ? `${plural(breaker.failures_in_row, 'failure')} in a row` : ''
}

/** The limits of a model as `{ name, used, of }`. */
function limits({ limits }) {
  if (!limits) return []
  const rates = ['requests', 'tokens'].filter((name) => limits[name]).map((name) => ({
    name: `${name}/min`, used: limits[name].per_minute - limits[name].left, of: limits[name].per_minute,
  }))
  const { concurrent } = limits
  if (concurrent) rates.push({ name: concurrent.waiting ? `slots, ${concurrent.waiting} waiting` : 'slots', used: concurrent.in_use, of: concurrent.slots })
  return rates
}

const groups = [
  ['all', 'All', () => true],
  ['away', "Can't be called", isAway],
  ['ready', 'Ready', (model) => !isAway(model) && model.state !== 'off'],
  ['off', 'Off', (model) => model.state === 'off'],
]

export function models(app) {
  let group = 'all'
  const filter = h('input', { type: 'search', placeholder: 'Filter by name or provider', 'aria-label': 'Filter the models', oninput: update })
  const chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'State' }, groups.map(([name, title]) =>
    h('button', { type: 'button', 'data-group': name, onclick: () => { group = name; update() } }, `${title} `, h('b', { class: 'num' }))))
  const body = h('tbody')
  const message = h('p', { class: 'notice', role: 'status', hidden: true })
  const empty = h('p', { class: 'empty-note' })
  const table = h('table', { class: 'models' },
    h('thead', null, h('tr', null, ['Model', 'State', 'Success', 'First token', 'Total', 'Running', 'Limits', ''].map((name, index) =>
      h('th', { scope: 'col', class: index > 1 && index < 6 ? 'num' : null }, name)))), body)
  const node = h('div', null, h('div', { class: 'bar-top' }, filter, chips), message, h('div', { class: 'panel flush' }, table, empty))

  async function reset(model, button) {
    button.disabled = true
    message.hidden = false
    try {
      await post(`admin/state/${encodeURIComponent(label(model))}/reset`)
      say(message, `${label(model)} is reset: its breaker is closed, its keys don't cool down, and its statistics are empty.`)
      await app.refresh()
    } catch (error) {
      say(message, `${label(model)} was not reset: ${error.message}`)
    }
    button.disabled = false
  }

  const create = (model) => {
    const cell = (name, kind) => h('td', { class: kind, 'data-name': name })
    const button = h('button', { type: 'button', class: 'quiet' }, 'Reset')
    const row = h('tr', null,
      h('th', { scope: 'row' }, h('b', null, model.model), h('small', { class: 'dim' }, model.provider)),
      h('td', { class: 'state' }, h('span', { class: 'pill' }), h('small', { class: 'dim' })),
      cell('Success', 'num'), cell('First token', 'num'), cell('Total', 'num'), cell('Running', 'num'), cell('Limits', 'limits'),
      h('td', { class: 'act' }, button))
    button.setAttribute('aria-label', `Reset ${label(model)}`)
    button.addEventListener('click', () => reset(model, button))
    return row
  }

  function fill(row, model) {
    const [name, state, success, first, total, running, limited] = row.children
    say(name.lastChild, model.upstream && model.upstream !== model.model ? `${model.provider}, ${model.upstream}` : model.provider)
    const until = model.until ? secondsUntil(model.until) : 0
    say(state.firstChild, `${words(model.state)}${until ? ` ${countdown(until)}` : ''}`)
    state.firstChild.className = `pill ${tone(model.state)}`
    say(state.lastChild, reason(model))
    const { statistics } = model
    say(success, statistics.samples ? percent(statistics.success_rate) : none)
    success.className = `num ${statistics.samples && statistics.success_rate < 0.9 ? 'bad' : ''}`
    success.title = `${plural(statistics.samples, 'attempt')} in the window of the statistics`
    say(first, ms(statistics.mean_first_token_ms))
    say(total, ms(statistics.mean_ms))
    say(running, count(model.in_flight))
    row.classList.toggle('off', model.state === 'off')
    const rates = limits(model)
    put(limited, rates.length ? rates.map(({ name, used, of }) => h('span', { class: 'limit' },
      bar(used / of, used >= of ? 'bad' : 'accent'), h('small', { class: 'num' }, `${count(used)} of ${count(of)} ${name}`))) : h('small', { class: 'dim' }, none))
  }

  function update() {
    const all = app.state?.models
    if (!all) return say(empty, 'Reading the state…')
    const text = filter.value.trim().toLowerCase()
    const named = all.filter((model) => !text || `${label(model)} ${model.upstream ?? ''}`.toLowerCase().includes(text))
    for (const button of chips.children) {
      const [name, , holds] = groups.find(([name]) => name === button.dataset.group)
      say(button.lastChild, count(named.filter(holds).length))
      button.setAttribute('aria-pressed', name === group)
    }
    const shown = named.filter(groups.find(([name]) => name === group)[2])
    list(body, shown, label, create, fill)
    say(empty, shown.length ? '' : all.length ? 'No model matches.' : 'The policy has no models.')
  }

  return { name: 'models', title: 'Models', node, update, filter }
}
