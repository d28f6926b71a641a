// The frame: views, the key, what is live, and the keyboard.
import { h, list, put, say } from './dom.js'
import { events, get, keep, key, onRefusal } from './router.js'
import { models } from './models.js'
import { overview } from './overview.js'
import { policy } from './policy.js'
import { requests } from './requests.js'
import { routes } from './routes.js'
import { tester } from './tester.js'
import { usage } from './usage.js'

const element = (id) => document.getElementById(id)

/** In milliseconds. */
const HISTORY_INTERVAL = 10_000
const RETRY_INTERVAL = 2000
/** How many ledgers the page keeps. */
const MAX_LEDGERS = 500

/**
 * What every view reads. `state`, `history` and `ledgers` (the newest first) are as the admin API has them; undefined until
 * they have arrived.
 */
const app = {
  state: undefined,
  history: undefined,
  ledgers: undefined,
  /** How many requests have ended whose ledgers did not arrive, because there were too many. */
  skipped: 0,
  /** Reads the state now, after an action that changes it. */
  refresh: () => refresh(),
  /** Opens a view at once, before the event of the address: `go('requests/abc')`. */
  go: (place) => {
    location.hash = place
    show()
  },
}

const views = [overview, models, routes, requests, tester, policy, usage].map((make) => make(app))
let shown
let isAsking = false

// Views. The address names the view and its part: #requests/ID.

function show() {
  const [name, ...rest] = location.hash.slice(1).split('/')
  const view = views.find((one) => one.name === name) ?? views[0]
  const part = rest.length ? decodeURIComponent(rest.join('/')) : undefined
  if (view !== shown) {
    shown?.hide?.()
    shown = view
    put(element('view'), view.node)
    document.title = `${view.title} – llm-router`
    scrollTo(0, 0)
  }
  for (const link of element('tabs').children) {
    if (link.hash === `#${view.name}`) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  view.show?.(part)
  view.update?.()
}

function update() {
  shown?.update?.()
}

// The key

function ask(error) {
  const hadKey = key() !== null
  say(element('sign-in-error'), hadKey ? error.message : '')
  element('forget').hidden = true
  keep(null)
  if (isAsking) return
  isAsking = true
  element('sign-in').showModal()
}

element('sign-in').addEventListener('cancel', (event) => event.preventDefault())
element('sign-in-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const field = element('sign-in-key')
  try {
    await get('admin/state', { candidate: field.value.trim() })
  } catch (error) {
    say(element('sign-in-error'), error.status === 401 ? 'The policy has no such key.' : error.message)
    field.select()
    return
  }
  keep(field.value.trim())
  field.value = ''
  isAsking = false
  element('sign-in').close()
  start()
  // What the view could not read without the key.
  show()
})
element('forget').addEventListener('click', () => {
  keep(null)
  location.reload()
})
onRefusal(ask)

// Live data: read once, then kept up to date by events.

let stream
let historyTimer

function live(text, tone) {
  say(element('live'), text)
  element('live').className = `live ${tone}`
}

function complain(error) {
  element('notice').hidden = !error
  say(element('notice'), error ? `${error.message[0].toUpperCase()}${error.message.slice(1)}. Trying again.` : '')
}

async function refresh() {
  app.state = await get('admin/state')
  update()
}

/** The percentiles of the hour are in no event. */
async function readHistory() {
  clearTimeout(historyTimer)
  if (isAsking || document.hidden) return
  try {
    app.history = await get('admin/history')
    update()
  } catch { /* `follow` says what is wrong */ }
  clearTimeout(historyTimer)
  historyTimer = setTimeout(readHistory, HISTORY_INTERVAL)
}

/** Adds the newest ledgers, each once. */
function add(ledgers) {
  const known = new Set(app.ledgers?.map(identity))
  const fresh = ledgers.filter((ledger) => !known.has(identity(ledger)))
  if (fresh.length || !app.ledgers) app.ledgers = [...fresh, ...app.ledgers ?? []].slice(0, MAX_LEDGERS)
}
const identity = (ledger) => `${ledger.request_id} ${ledger.time}`
const isSame = (one, other) => one.provider === other.provider && one.model === other.model

let arrived = []
/** What an event changes, by its type. */
const changes = {
  request: (ledger) => arrived.unshift(ledger),
  skipped: ({ requests }) => { app.skipped += requests },
  state({ models, removed }) {
    if (!app.state) return
    const kept = app.state.models.filter((model) => !removed.some((other) => isSame(model, other)))
      .map((model) => models.find((other) => isSame(model, other)) ?? model)
    app.state = { ...app.state, models: [...kept, ...models.filter((model) => !kept.some((other) => isSame(model, other)))] }
  },
  minute(figures) {
    if (!app.history) return
    const minutes = app.history.minutes.filter(({ time }) => time !== figures.time && time > figures.time - 3600)
    app.history = { ...app.history, minutes: [...minutes, figures] }
  },
  reload() {
    refresh().catch(complain)
    shown?.reloaded?.()
  },
}

/** Events that arrive together are drawn once. */
let drawing
function take({ type, data }) {
  changes[type]?.(JSON.parse(data))
  drawing ??= setTimeout(() => {
    drawing = undefined
    add(arrived.splice(0))
    update()
  }, 100)
}

async function follow() {
  stream?.abort()
  const own = stream = new AbortController()
  while (!own.signal.aborted && !isAsking) {
    try {
      await refresh()
      const reading = events('admin/events', take, own.signal)
      // Handled below, even if reading the requests fails first.
      reading.catch(() => {})
      add((await get('admin/requests?limit=200')).requests)
      live('live', 'good')
      complain(null)
      readHistory()
      await reading
      live('reconnecting', 'warn')
    } catch (error) {
      if (own.signal.aborted || isAsking) return
      live('reconnecting', 'warn')
      complain(error)
    }
    await new Promise((resume) => setTimeout(resume, RETRY_INTERVAL))
  }
}

function start() {
  element('forget').hidden = key() === null
  follow()
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    stream?.abort()
    live('paused', 'dim')
  } else if (!isAsking) start()
})

// What counts down goes on without events.
setInterval(() => { if (!document.hidden) update() }, 1000)

// The theme

const themes = ['Auto', 'Light', 'Dark']
function applyTheme(name) {
  say(element('theme'), name)
  document.documentElement.style.colorScheme = { Auto: 'light dark', Light: 'light', Dark: 'dark' }[name]
}
element('theme').addEventListener('click', () => {
  const next = themes[(themes.indexOf(element('theme').textContent) + 1) % themes.length]
  localStorage.setItem('llm-router theme', next)
  applyTheme(next)
})
applyTheme(themes.find((name) => name === localStorage.getItem('llm-router theme')) ?? 'Auto')

// The keyboard

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || element('sign-in').open) return
  if (event.target.closest('input, textarea, select') && event.key !== 'Escape') return
  const view = views[Number(event.key) - 1]
  if (view) app.go(view.name)
  else if (event.key === '?') element('keys').showModal()
  else if (event.key === '/' && shown.filter) shown.filter.focus()
  else if (!shown.key?.(event)) return
  event.preventDefault()
})

list(element('tabs'), views, (view) => view.name, (view) => h('a', { href: `#${view.name}` }, view.title))
addEventListener('hashchange', show)
show()
start()
