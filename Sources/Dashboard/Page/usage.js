// What keys and models have cost, and what is left of the budgets, as far as the router keeps it.
import { bar } from './charts.js'
import { h, list, put, say } from './dom.js'
import { count, dateTime, dollars, plural } from './format.js'
import { get } from './router.js'

/** In milliseconds. */
const INTERVAL = 10_000
/** How many keys and models are listed; the others are summed up. */
const MAX_ROWS = 20

const periods = [
  ['today', 'Today', () => new Date().toISOString().slice(0, 10)],
  ['week', '7 days', () => '7d'],
  ['month', '30 days', () => '30d'],
  ['all', 'All that is kept', () => null],
]

/** The rows of the API, summed up by `name`, the most expensive first; those without a cost by their requests. */
function sums(rows, name) {
  const found = new Map()
  for (const row of rows) {
    const sum = found.get(name(row)) ?? { name: name(row), cost: 0, requests: 0, tokens: 0, unpriced: 0 }
    sum.cost += row.cost_usd
    sum.requests += row.requests
    sum.tokens += row.prompt_tokens + row.completion_tokens
    sum.unpriced += row.unpriced
    found.set(sum.name, sum)
  }
  return [...found.values()].sort((a, b) => b.cost - a.cost || b.requests - a.requests)
}

const describe = ({ requests, tokens, unpriced }) =>
  `${plural(requests, 'request')}, ${plural(tokens, 'token')}${unpriced ? `, ${count(unpriced)} without a price` : ''}`

/** A panel that ranks what costs most. */
function ranking(title, name) {
  const items = h('ul', { class: 'ranked' })
  const node = h('section', { class: 'panel' }, h('h3', null, title), items)
  return {
    node,
    update(rows) {
      const all = sums(rows, name)
      if (!all.length) return put(items, h('li', { class: 'dim' }, 'Nothing was used.'))
      const rest = all.slice(MAX_ROWS)
      put(items, all.slice(0, MAX_ROWS).map((sum) => h('li', null,
        h('span', null, sum.name, h('small', { class: 'dim' }, describe(sum))), bar(sum.cost / all[0].cost, 'accent'),
        h('b', { class: 'num' }, dollars(sum.cost)))),
        rest.length ? h('li', { class: 'dim' }, `and ${count(rest.length)} more, ${dollars(rest.reduce((cost, sum) => cost + sum.cost, 0))}`) : null)
    },
  }
}

/** The bounds of the budgets, one after the other: `{ budget, name, bound, format }`. */
const bounds = (budgets) => budgets.flatMap((budget) => [['usd', dollars], ['tokens', (n) => plural(n, 'token')]]
  .filter(([name]) => budget[name]).map(([name, format]) => ({ budget, name, bound: budget[name], format })))

export function usage() {
  let period = 'week'
  let answer
  let lastRead = 0
  const headline = h('h2', { class: 'headline' })
  const chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Since' }, periods.map(([name, title]) =>
    h('button', { type: 'button', 'data-period': name, onclick: () => { period = name; read() } }, title)))
  const keys = ranking('Cost by key', ({ key }) => key || 'without a key')
  const models = ranking('Cost by model', ({ provider, model }) => `${provider}/${model}`)
  const body = h('tbody')
  const empty = h('p', { class: 'empty-note' })
  const budgets = h('table', { class: 'budgets' },
    h('thead', null, h('tr', null, ['Key', 'Budget', 'Left', 'Begins anew'].map((name) => h('th', { scope: 'col' }, name)))), body)
  const node = h('div', { class: 'usage' }, headline, h('div', { class: 'bar-top' }, chips),
    h('div', { class: 'pair' }, keys.node, models.node), h('section', { class: 'panel flush' }, budgets, empty))

  async function read() {
    lastRead = Date.now()
    const [name, , since] = periods.find(([name]) => name === period)
    const query = since() ? `&since=${since()}` : ''
    try {
      const read = await get(`admin/usage?by=key,provider,model${query}`)
      if (name !== period) return
      answer = read
      draw()
    } catch (error) {
      say(headline, `The usage can't be read: ${error.message}.`)
    }
  }

  const create = () => h('tr', null, h('th', { scope: 'row' }), h('td'), h('td', null, h('span', { class: 'limit' })), h('td'))

  function fill(row, { budget, bound, format }) {
    const [key, terms, left, end] = row.children
    say(key, budget.key)
    say(terms, `${format(bound.limit)} ${budget.per === 'total' ? 'in all' : `a ${budget.per}`}${budget.hard ? '' : ', soft'}`)
    const isOver = bound.left <= 0
    const beyond = budget.requests_beyond ? `; ${plural(budget.requests_beyond, 'request')} beyond it` : ''
    put(left.firstChild, bar(bound.left / bound.limit, isOver ? 'bad' : bound.left < bound.limit * 0.1 ? 'warn' : 'accent'),
      h('small', { class: isOver ? 'bad' : 'dim' }, isOver ? `used up, ${format(bound.spent)} spent${beyond}` : `${format(bound.left)} left of ${format(bound.limit)}${beyond}`))
    say(end, budget.begins_anew ? dateTime(budget.begins_anew) : 'never')
  }

  function draw() {
    for (const button of chips.children) button.setAttribute('aria-pressed', button.dataset.period === period)
    if (!answer) return say(headline, 'Reading the usage…')
    const { total } = answer
    say(headline, `${dollars(total.cost_usd)} for ${plural(total.requests, 'request')}${total.unpriced ? `, ${count(total.unpriced)} of them without a known price` : ''}`)
    keys.update(answer.usage)
    models.update(answer.usage)
    const rows = bounds(answer.budgets)
    list(body, rows, ({ budget, name }) => `${budget.key} ${name}`, create, fill)
    budgets.hidden = rows.length === 0
    say(empty, rows.length ? '' : 'No key has a budget.')
  }

  return {
    name: 'usage', title: 'Usage', node,
    show: read,
    reloaded: read,
    update() {
      draw()
      if (Date.now() - lastRead >= INTERVAL) read()
    },
  }
}
