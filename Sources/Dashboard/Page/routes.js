// The routes as the policy has them: when, try, fallback; and who would serve a request now, and why.
import { h, list, put, say } from './dom.js'
import { percent, words } from './format.js'
import { get, post } from './router.js'
import { tone } from './models.js'

/** How often the plan of each visible route is read again, in milliseconds. */
const INTERVAL = 3000

/** Members that a request may have, beside its route, and that decide where it goes. */
const traits = [
  ['image', 'Image', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,' } }] }] }],
  ['tools', 'Tools', { tools: [{ type: 'function', function: { name: 'look_up', parameters: { type: 'object' } } }] }],
  ['json', 'JSON', { response_format: { type: 'json_object' } }],
  ['stream', 'Streamed', { stream: true }],
]

const name = (model) => `${model.provider}/${model.model_name}`

export function routes(app) {
  const chosen = new Set()
  const visible = new Set()
  let timer
  let known
  const chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'The request has' }, traits.map(([trait, title]) =>
    h('button', { type: 'button', 'aria-pressed': 'false', onclick: (event) => {
      if (!chosen.delete(trait)) chosen.add(trait)
      event.currentTarget.setAttribute('aria-pressed', chosen.has(trait))
      explainAll()
    } }, title)))
  const diagrams = h('div', { class: 'routes' })
  const empty = h('p', { class: 'empty-note', role: 'status' }, 'Reading the routes…')
  const node = h('div', null,
    h('div', { class: 'bar-top' }, h('span', { class: 'dim' }, 'Where a chat request goes now, if it has'), chips), empty, diagrams)
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) visible.delete(target)
      else if (visible.add(target)) explain(target)
    }
  })

  const body = (route) => JSON.stringify(Object.assign({ model: route, messages: [{ role: 'user', content: 'Hello' }] },
    ...traits.filter(([trait]) => chosen.has(trait)).map(([, , members]) => members)))

  async function read() {
    try {
      const answer = await get('admin/routes')
      if (answer.config === known) return
      known = answer.config
      list(diagrams, answer.routes, (route) => `${answer.config} ${route.name}`, diagram)
      say(empty, answer.routes.length ? '' : 'The policy has no routes. Requests name their models.')
      observer.disconnect()
      for (const child of diagrams.children) observer.observe(child)
    } catch (error) {
      if (!known) say(empty, `The routes can't be read: ${error.message}.`)
    }
  }

  const explainAll = () => Promise.all([...visible].map(explain))

  async function explain(target) {
    const { route, mark } = target
    try {
      mark(await post('admin/explain', body(route.name)))
    } catch (error) {
      if (error.name !== 'AbortError') mark({ refused: { message: error.message } })
    }
  }

  async function tick() {
    clearTimeout(timer)
    if (!document.hidden) {
      if (app.state && app.state.config !== known) await read()
      await explainAll()
    }
    clearTimeout(timer)
    timer = setTimeout(tick, INTERVAL)
  }

  /** A route's parts from left to right, with a place for the plan in each. */
  function diagram(route) {
    const verdict = h('p', { class: 'verdict' })
    const why = h('ol', { class: 'why' })
    const candidates = []
    const step = (part) => (one) => {
      const models = (one.models ?? []).map((model) => {
        const item = h('li', { class: 'candidate' }, h('i', { class: 'dot' }), h('span', null, model.model_name), h('small', { class: 'dim' }),
          h('small', { class: 'reason' }))
        candidates.push({ id: name(model), part, item })
        return item
      })
      return h('li', { class: 'step' }, h('p', { class: 'step-words' }, one.route ? h('a', { href: `#routes/${encodeURIComponent(one.route)}` }, one.words) : one.words),
        models.length ? h('ul', null, models) : one.route ? null : h('small', { class: 'dim' }, 'no model'))
    }
    /** `from` is the part in the words of `explain`. */
    const part = (title, from, steps, note) => h('div', { class: 'part' }, h('h4', null, title, note ? h('small', { class: 'dim' }, ` ${note}`) : null),
      steps.length ? h('ol', null, steps.map(step(from))) : h('p', { class: 'dim' }, 'none'))
    const flags = [['resume', 'resumes broken streams'], ['hedge', 'hedged'], ['sticky', 'sticky']].filter(([member]) => route[member]).map(([, title]) => h('span', { class: 'tag' }, title))
    const target = h('section', { class: 'panel route', 'aria-label': `Route ${route.name}`, 'data-name': route.name },
      h('header', null, h('h3', null, route.name), flags), verdict,
      h('div', { class: 'flow' },
        route.when.length ? h('div', { class: 'part when' }, h('h4', null, 'when'), h('ul', null, route.when.map(({ condition, use }) =>
          h('li', { class: 'condition' }, condition || 'always', h('a', { href: `#routes/${encodeURIComponent(use)}` }, `→ ${use}`))))) : null,
        part('try', 'try', route.try),
        part('fallback', route.fallback_is_default ? 'defaults.fallback' : 'fallback', route.fallback, route.fallback_is_default && route.fallback.length ? 'of defaults' : ''),
        Object.entries(route.fallback_on).map(([failure, steps]) => part(`on ${words(failure)}`, `fallback_on.${failure}`, steps))),
      h('details', null, h('summary', null, 'Order and reasons'), why))
    target.route = route

    let marked
    target.mark = (plan) => {
      // What has not changed stays, with the text that someone may have selected.
      const text = JSON.stringify(plan)
      if (text === marked) return
      marked = text
      const attempts = plan.attempts ?? []
      // Each candidate is called in one part at most, but may stand in several.
      const calls = new Map()
      for (const attempt of [...attempts, ...plan.fallback_on ?? []]) {
        const place = `${attempt.from} ${name(attempt)}`
        if (!calls.has(place)) calls.set(place, attempt)
      }
      const order = new Map([...new Set(attempts.map(name))].map((id, index) => [id, index + 1]))
      const excluded = new Map((plan.left_out ?? []).map((left) => [name(left), left.rule]))
      const chosen = plan.chosen && attempts.find((attempt) => name(attempt) === name(plan.chosen))
      // A drawn order differs from request to request, so that its most likely model counts, and no place is shown.
      const drawn = chosen?.share === undefined ? [] : attempts.filter((attempt) => attempt.from === chosen.from && attempt.share !== undefined)
      const serving = drawn.reduce((best, attempt) => attempt.share > best.share ? attempt : best, chosen)
      for (const { id, part, item } of candidates) {
        const [dot, , note, reason] = item.children
        const attempt = calls.get(`${part} ${id}`)
        item.className = `candidate ${attempt && attempt === serving ? 'serving' : attempt ? '' : 'out'}`
        dot.className = `dot ${attempt ? tone(attempt.state) : 'dim'}`
        const isOrdered = attempt && attempt.share === undefined && !part.startsWith('fallback_on')
        say(note, attempt ? [isOrdered ? `#${order.get(id)}` : '', attempt.share === undefined ? '' : percent(attempt.share),
          attempt.state === 'ready' ? '' : words(attempt.state)].filter(Boolean).join(' ') : '')
        say(reason, attempt ? '' : excluded.get(id) ?? (order.has(id) ? 'called earlier' : ''))
        item.title = attempt?.why ?? ''
      }
      verdict.className = `verdict ${plan.refused || !serving ? 'bad' : ''}`
      if (plan.refused) say(verdict, `Refused: ${plan.refused.message}`)
      else {
        const through = plan.when?.map((replaced) => `${replaced.condition} → ${replaced.use}`).join(', ')
        put(verdict, serving ? [h('b', null, name(serving)), drawn.length > 1 ? ' would most likely serve now' : ' would serve now', through ? ` (${through})` : '', '. ', h('span', { class: 'dim' }, serving.why)]
          : `Nobody can serve now: ${plan.then?.reason ?? 'no candidate is left'}.`)
      }
      put(why, attempts.map((attempt) => h('li', null, h('b', null, name(attempt)), ` ${attempt.from}${attempt.is_retry ? ', retry' : ''}`,
        attempt.state === 'ready' ? '' : h('span', { class: tone(attempt.state) }, ` ${words(attempt.state)}`), h('span', { class: 'dim' }, ` ${attempt.why}`,
          attempt.wait_ms ? `, after ${attempt.wait_ms} ms` : ''))),
      plan.then ? h('li', { class: 'dim' }, `then ${plan.then.status}: ${plan.then.reason}`) : null,
      [...excluded].map(([id, rule]) => h('li', { class: 'out' }, h('b', null, id), h('span', { class: 'dim' }, ` left out: ${rule}`))))
    }
    return target
  }

  return {
    name: 'routes', title: 'Routes', node,
    async show(part) {
      await read()
      await tick()
      if (part) [...diagrams.children].find((child) => child.dataset.name === part)?.scrollIntoView({ block: 'start' })
    },
    hide: () => clearTimeout(timer),
  }
}
