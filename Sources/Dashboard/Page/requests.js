// The last requests as they end, and the ledger of one.
import { h, list, put, say } from './dom.js'
import { clock, count, dollars, ms, none, plural } from './format.js'
import { facts, hasFailed, hasFailedOver, outcome, servedBy, timeline } from './ledger.js'
import { get } from './router.js'

const groups = [
  ['all', 'All', () => true],
  ['failed', 'Failed', hasFailed],
  ['fallback', 'Failed over', hasFailedOver],
  ['streamed', 'Streamed', (ledger) => ledger.stream === true],
  ['slow', 'Slow (5 s)', (ledger) => ledger.duration_ms >= 5000],
]
/** More rows than anyone reads cost drawing time. */
const MAX_ROWS = 200

/** The members that a filter looks at, also in the failed attempts and in what was skipped. */
const searched = ['request_id', 'model', 'provider', 'requested_model', 'route', 'key', 'endpoint', 'error', 'remote', 'message']

const holdsText = (entry, text) => searched.some((member) => String(entry[member] ?? '').toLowerCase().includes(text))
const matches = (ledger, text) => [ledger, ...ledger.failed ?? [], ...ledger.skipped ?? []].some((entry) => holdsText(entry, text))

export function requests(app) {
  let group = 'all'
  let isPaused = false
  let frozen = []
  let opened
  let openedLedger
  const filter = h('input', { type: 'search', placeholder: 'Filter by model, key, route, id, error', 'aria-label': 'Filter the requests', oninput: update })
  const chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Outcome' }, groups.map(([name, title]) =>
    h('button', { type: 'button', 'data-group': name, onclick: () => { group = name; update() } }, title)))
  const pause = h('button', { type: 'button', class: 'quiet', 'aria-pressed': 'false', onclick: () => {
    isPaused = !isPaused
    frozen = app.ledgers ?? []
    pause.setAttribute('aria-pressed', isPaused)
    say(pause, isPaused ? 'Resume' : 'Pause')
    update()
  } }, 'Pause')
  const body = h('tbody')
  const empty = h('p', { class: 'empty-note' })
  const missing = h('small', { class: 'dim' })
  const titles = [['Ended'], ['Status'], ['Model'], ['Route', 'wide'], ['Key', 'wide'], ['Attempts', 'num wide'], ['First token', 'num wide'],
    ['Total', 'num'], ['Tokens', 'num wide'], ['Cost', 'num wide']]
  const table = h('table', { class: 'requests' }, h('thead', null, h('tr', null, titles.map(([title, kind]) => h('th', { scope: 'col', class: kind }, title)))), body)
  const detail = h('aside', { class: 'panel detail', 'aria-label': 'The chosen request', tabindex: '-1', hidden: true })
  const node = h('div', { class: 'requests-view' }, h('div', { class: 'bar-top' }, filter, chips, pause, missing),
    h('div', { class: 'split' }, h('div', { class: 'panel flush' }, table, empty), detail))

  const key = (ledger) => `${ledger.request_id} ${ledger.time}`
  const open = (ledger) => app.go(`requests/${encodeURIComponent(ledger.request_id)}`)

  function create(ledger) {
    const { word, tone } = outcome(ledger)
    const tokens = ledger.prompt_tokens === undefined && ledger.completion_tokens === undefined ? none
      : `${ledger.usage_source === 'reported' ? '' : '~'}${count(ledger.prompt_tokens ?? 0)} → ${count(ledger.completion_tokens ?? 0)}`
    const row = h('tr', { tabindex: '0', class: word, onclick: () => open(ledger), onkeydown: (event) => { if (event.key === 'Enter') open(ledger) } },
      h('td', { class: 'time' }, clock(ledger.time)),
      h('td', null, h('span', { class: `pill ${tone}` }, ledger.status), h('small', { class: 'dim wide' }, word === 'ok' ? '' : ` ${word}`)),
      h('td', { class: 'name' }, h('b', null, servedBy(ledger)), h('small', { class: 'dim' }, ledger.provider ?? ledger.error ?? ledger.endpoint)),
      h('td', { class: 'wide' }, ledger.route ?? none), h('td', { class: 'wide' }, ledger.key ?? none),
      h('td', { class: 'num wide' }, ledger.attempts ?? none), h('td', { class: 'num wide' }, ms(ledger.first_content_ms)),
      h('td', { class: 'num' }, ms(ledger.duration_ms)), h('td', { class: 'num wide' }, tokens), h('td', { class: 'num wide' }, dollars(ledger.cost_usd)))
    row.ledger = ledger
    return row
  }

  function update() {
    for (const button of chips.children) button.setAttribute('aria-pressed', button.dataset.group === group)
    const all = isPaused ? frozen : app.ledgers
    if (!all) return say(empty, 'Reading the last requests…')
    const text = filter.value.trim().toLowerCase()
    const holds = groups.find(([name]) => name === group)[2]
    const found = all.filter((ledger) => holds(ledger) && (!text || matches(ledger, text)))
    list(body, found.slice(0, MAX_ROWS), key, create, (row, ledger) => row.classList.toggle('chosen', ledger.request_id === opened))
    table.hidden = found.length === 0
    say(missing, app.skipped ? `${plural(app.skipped, 'request')} ended too fast to be listed.` : '')
    say(empty, found.length > MAX_ROWS ? `and ${found.length - MAX_ROWS} more; filter them` : found.length ? ''
      : all.length ? 'No request matches.' : 'No requests yet. They appear here when they have ended; try the tester.')
    const late = opened && !openedLedger && app.ledgers.find((ledger) => ledger.request_id === opened)
    if (late) draw(late)
  }

  function draw(ledger) {
    openedLedger = ledger
    const { word, tone } = outcome(ledger)
    put(detail, h('header', null, h('h3', null, servedBy(ledger), ' ', h('span', { class: `pill ${tone}` }, `${ledger.status} ${word}`)),
      h('button', { type: 'button', class: 'quiet', onclick: close, 'aria-label': 'Close the request' }, 'Close')), timeline(ledger), facts(ledger))
  }

  const close = () => app.go('requests')

  async function show(id) {
    const isNew = opened !== id
    opened = id
    detail.hidden = !id
    node.classList.toggle('opened', Boolean(id))
    if (!id) {
      openedLedger = undefined
      return
    }
    if (!isNew && openedLedger) return
    openedLedger = undefined
    const known = (isPaused ? frozen : app.ledgers ?? []).find((ledger) => ledger.request_id === id)
    if (known) draw(known)
    else {
      put(detail, h('p', { class: 'dim' }, 'Reading the request…'))
      try {
        const ledger = await get(`admin/requests/${encodeURIComponent(id)}`)
        if (opened === id) draw(ledger)
      } catch (error) {
        if (opened === id && !openedLedger) put(detail, h('header', null, h('h3', null, 'Not found'), h('button', { type: 'button', class: 'quiet', onclick: close }, 'Close')), h('p', null, error.message))
      }
    }
    if (isNew) detail.focus({ preventScroll: true })
  }

  return {
    name: 'requests', title: 'Requests', node, update, filter, show,
    key(event) {
      if (event.key === 'Escape' && opened) return close(), true
      const by = { j: 1, k: -1 }[event.key]
      if (!by) return false
      const rows = [...body.children]
      const at = rows.findIndex((row) => row.ledger.request_id === opened)
      const row = rows[Math.min(rows.length - 1, Math.max(0, at + by))]
      if (!row) return false
      open(row.ledger)
      row.scrollIntoView({ block: 'nearest' })
      return true
    },
  }
}
