// Sends a request as a client of any face would, and explains its plan beside the response.
import { h, put, say } from './dom.js'
import { bytes, ms, none, words } from './format.js'
import { eventsOf, get, key, post, send } from './router.js'

/** An image of the request: `{ type, data }`, the data in base64. What else the request has: see `question`. */
const image = ({ type, data }) => `data:${type};base64,${data}`

/**
 * How each face writes a request, and where its responses have their text. `read` gets one JSON object, a whole response or an
 * event of a stream, and returns its text; tools as `name(arguments)`.
 */
const faces = {
  openai: {
    title: 'OpenAI chat', path: () => 'v1/chat/completions',
    body: (q) => ({
      model: q.model || undefined, stream: q.stream || undefined, max_tokens: q.maxTokens,
      messages: [...q.system ? [{ role: 'system', content: q.system }] : [], {
        role: 'user',
        content: q.image ? [{ type: 'text', text: q.prompt }, { type: 'image_url', image_url: { url: image(q.image) } }] : q.prompt,
      }],
      tools: q.tools?.map((tool) => ({ type: 'function', function: tool })),
    }),
    read: (o) => o.choices?.map(({ delta, message }) => content(delta ?? message ?? {})).join(''),
  },
  responses: {
    title: 'OpenAI responses', path: () => 'v1/responses', explainedAs: 'openai',
    body: (q) => ({
      model: q.model || undefined, stream: q.stream || undefined, max_output_tokens: q.maxTokens, instructions: q.system || undefined,
      input: [{ role: 'user', content: [{ type: 'input_text', text: q.prompt }, ...q.image ? [{ type: 'input_image', image_url: image(q.image) }] : []] }],
      tools: q.tools?.map((tool) => ({ type: 'function', ...tool })),
    }),
    read: (o) => {
      if (o.type === 'response.output_text.delta') return o.delta
      if (o.type === 'response.output_item.done' && o.item?.type === 'function_call') return called(o.item.name, o.item.arguments)
      return o.output?.map((item) => item.type === 'function_call' ? called(item.name, item.arguments) : (item.content ?? []).map((part) => part.text ?? '').join('')).join('')
    },
  },
  anthropic: {
    title: 'Anthropic messages', path: () => 'v1/messages',
    body: (q) => ({
      model: q.model || 'auto', stream: q.stream || undefined, max_tokens: q.maxTokens ?? 1024, system: q.system || undefined,
      messages: [{ role: 'user', content: [{ type: 'text', text: q.prompt },
        ...q.image ? [{ type: 'image', source: { type: 'base64', media_type: q.image.type, data: q.image.data } }] : []] }],
      tools: q.tools?.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters })),
    }),
    read: (o) => {
      if (o.type === 'content_block_delta') return o.delta?.text ?? o.delta?.thinking ?? o.delta?.partial_json ?? ''
      if (o.type === 'content_block_start') return o.content_block?.type === 'tool_use' ? `\n${o.content_block.name} ` : ''
      return o.content?.map((part) => part.type === 'tool_use' ? called(part.name, part.input) : part.text ?? '').join('')
    },
  },
  gemini: {
    title: 'Gemini', path: (q) => `v1beta/models/${encodeURIComponent(q.model || 'auto')}:${q.stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    headers: () => key() ? { 'x-goog-api-key': key() } : {},
    body: (q) => ({
      contents: [{ role: 'user', parts: [{ text: q.prompt }, ...q.image ? [{ inlineData: { mimeType: q.image.type, data: q.image.data } }] : []] }],
      systemInstruction: q.system ? { parts: [{ text: q.system }] } : undefined,
      generationConfig: q.maxTokens ? { maxOutputTokens: q.maxTokens } : undefined,
      tools: q.tools ? [{ functionDeclarations: q.tools }] : undefined,
    }),
    read: (o) => o.candidates?.flatMap(({ content }) => content?.parts ?? [])
      .map((part) => part.functionCall ? called(part.functionCall.name, part.functionCall.args) : part.text ?? '').join(''),
  },
  ollama: {
    title: 'Ollama', path: () => 'api/chat', isLines: true,
    body: (q) => ({
      model: q.model || 'auto', stream: q.stream, options: q.maxTokens ? { num_predict: q.maxTokens } : undefined,
      messages: [...q.system ? [{ role: 'system', content: q.system }] : [], { role: 'user', content: q.prompt, images: q.image ? [q.image.data] : undefined }],
      tools: q.tools?.map((tool) => ({ type: 'function', function: tool })),
    }),
    read: (o) => o.message ? content(o.message) : undefined,
  },
}

const called = (name, value) => `\n${name}(${typeof value === 'string' ? value : JSON.stringify(value ?? {})})\n`
const content = (message) => `${message.reasoning_content ?? message.thinking ?? ''}${typeof message.content === 'string' ? message.content : ''}`
  + (message.tool_calls ?? []).map(({ function: { name, arguments: value } = {} }) => name ? called(name, value) : value ?? '').join('')

const sampleTools = [{
  name: 'get_weather', description: 'The weather in a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}]

/** How much of a response's bytes is shown as it came. */
const MAX_RAW = 64 * 1024

export function tester(app) {
  const field = (label, control, kind) => h('label', { class: kind }, h('span', null, label), control)
  const face = h('select', null, Object.entries(faces).map(([name, { title }]) => h('option', { value: name }, title)))
  const names = h('datalist', { id: 'tester-models' })
  const model = h('input', { list: 'tester-models', placeholder: 'auto', autocomplete: 'off', spellcheck: 'false' })
  const system = h('input', { placeholder: 'none', autocomplete: 'off' })
  const prompt = h('textarea', { rows: 4, value: 'Say hello in three languages.' })
  const maxTokens = h('input', { type: 'number', min: 1, placeholder: 'none' })
  const file = h('input', { type: 'file', accept: 'image/*', onchange: () => chooseImage() })
  const preview = h('img', { alt: 'The image of the request', hidden: true })
  const stream = h('input', { type: 'checkbox', checked: true })
  const withTools = h('input', { type: 'checkbox', onchange: () => { tools.hidden = !withTools.checked } })
  const tools = h('textarea', { rows: 7, class: 'code', hidden: true, 'aria-label': 'Tools as JSON', spellcheck: 'false', value: JSON.stringify(sampleTools, null, 2) })
  const sendButton = h('button', { type: 'submit', class: 'primary' }, 'Send')
  const explainButton = h('button', { type: 'button', onclick: () => explainOnly() }, 'Explain only')
  const stop = h('button', { type: 'button', class: 'quiet', disabled: true, onclick: () => running?.abort() }, 'Stop')
  const problem = h('p', { class: 'bad', role: 'alert' })
  const summary = h('p', { class: 'summary', role: 'status' })
  const answer = h('pre', { class: 'answer', tabindex: '0', 'aria-label': 'Text of the response' })
  const head = h('dl', { class: 'facts' })
  const raw = h('pre', { class: 'code' })
  const plan = h('div', { class: 'plan' }, h('p', { class: 'dim' }, 'Which models the request would go to, in which order and why.'))
  let running
  let picture

  const form = h('form', { class: 'panel form', onsubmit: (event) => { event.preventDefault(); run() } },
    h('div', { class: 'fields' }, field('Face', face), field('Model or route', model), field('System', system), field('Most tokens', maxTokens)),
    names, field('Prompt', prompt), h('div', { class: 'fields checks' }, field('Streamed', stream, 'check'), field('Tools', withTools, 'check'), field('Image', file)),
    preview, tools, problem, h('div', { class: 'buttons' }, sendButton, explainButton, stop))
  const node = h('div', { class: 'tester' }, form, h('div', { class: 'pair' },
    h('section', { class: 'panel' }, h('h3', null, 'Response'), summary, answer, head, h('details', null, h('summary', null, 'As it came'), raw)),
    h('section', { class: 'panel' }, h('h3', null, 'Plan'), plan)))

  async function chooseImage() {
    const [chosen] = file.files
    picture = undefined
    preview.hidden = true
    if (!chosen) return
    const data = await new Promise((resolve, reject) => {
      const reader = new FileReader()
      reader.onload = () => resolve(reader.result)
      reader.onerror = () => reject(reader.error)
      reader.readAsDataURL(chosen)
    }).catch((error) => say(problem, `The image can't be read: ${error.message}`))
    if (!data) return
    picture = { type: chosen.type || 'image/png', data: data.slice(data.indexOf(',') + 1) }
    preview.src = data
    preview.hidden = false
  }

  /** The request that the form describes; undefined, and said why, if it is none. */
  function question() {
    say(problem, '')
    let offered
    if (withTools.checked) {
      try {
        offered = JSON.parse(tools.value)
        if (!Array.isArray(offered)) throw new Error('they must be a list')
      } catch (error) {
        say(problem, `The tools are not JSON: ${error.message}`)
        return
      }
    }
    return {
      model: model.value.trim(), system: system.value.trim(), prompt: prompt.value, image: picture, tools: offered, stream: stream.checked,
      maxTokens: maxTokens.value ? Number(maxTokens.value) : undefined,
    }
  }

  function explainOnly() {
    const q = question()
    if (q) explain(q)
  }

  async function explain(q) {
    const name = faces[face.value].explainedAs ?? face.value
    const body = { ...faces[name].body(q), model: q.model || undefined }
    try {
      showPlan(await post(`admin/explain?face=${name}`, JSON.stringify(body)))
    } catch (error) {
      put(plan, h('p', { class: 'bad' }, error.message))
    }
  }

  function showPlan({ request, refused, route, when, attempts, then, left_out: leftOut, bounds, seed }) {
    if (refused) return put(plan, h('p', { class: 'bad' }, `Refused with ${refused.status}: ${refused.message}`))
    put(plan,
      h('p', null, route ? [h('b', null, route), when?.length ? `, by ${when.map(({ condition }) => condition).join(', ')}` : ''] : 'The request names its model.',
        h('span', { class: 'dim' }, ` About ${request.prompt_tokens} prompt tokens${request.needs.length ? `, needs ${request.needs.join(', ')}` : ''}. At most ${bounds.max_attempts} attempts in ${ms(bounds.total_ms)}.${seed === undefined ? '' : ' The order is drawn anew for each request; this is one draw.'}`)),
      h('ol', { class: 'why' }, attempts.map((attempt, index) => h('li', { class: index === 0 ? 'serving' : null },
        h('b', null, `${attempt.provider}/${attempt.model_name}`), ` ${attempt.from}${attempt.is_retry ? ', retry' : ''}`,
        attempt.state === 'ready' ? '' : ` ${words(attempt.state)}`, h('span', { class: 'dim' }, ` ${attempt.why}${attempt.wait_ms ? `, after ${ms(attempt.wait_ms)}` : ''}`))),
      h('li', { class: 'dim' }, `then ${then.status}: ${then.reason}`)),
      leftOut.length ? h('details', null, h('summary', null, `${leftOut.length} left out`), h('ul', { class: 'why' }, leftOut.map((left) =>
        h('li', null, h('b', null, `${left.provider}/${left.model_name}`), h('span', { class: 'dim' }, ` ${left.rule}`))))) : null)
  }

  async function run() {
    const q = question()
    if (!q) return
    running?.abort()
    const own = running = new AbortController()
    const chosen = faces[face.value]
    stop.disabled = false
    put(answer)
    put(head)
    say(raw, '')
    answer.className = 'answer'
    say(summary, 'Sending…')
    explain(q)
    const started = performance.now()
    let [firstAt, received] = [undefined, 0]
    const since = () => performance.now() - started
    const show = (text) => {
      if (!text) return
      firstAt ??= since()
      answer.append(text)
    }
    const keepRaw = (line) => {
      received += line.length
      if (raw.textContent.length < MAX_RAW) raw.append(`${line}\n`)
    }
    const read = (text) => {
      let object
      try { object = JSON.parse(text) } catch { return }
      const error = object.error ?? (object.type === 'error' ? object : undefined)
      if (error) {
        answer.classList.add('bad')
        show(`${answer.textContent ? '\n\n' : ''}${typeof error === 'string' ? error : error.message ?? JSON.stringify(error)}`)
      } else show(chosen.read(object))
    }
    let status = none
    try {
      const response = await send(chosen.path(q), {
        method: 'POST', body: JSON.stringify(chosen.body(q)), headers: { 'content-type': 'application/json', ...chosen.headers?.() }, signal: own.signal,
      })
      status = response.status
      showHead(response)
      if (response.headers.get('content-type')?.includes('event-stream')) {
        for await (const { data } of eventsOf(response)) {
          keepRaw(data)
          read(data)
        }
      } else if (chosen.isLines && response.ok) {
        await readLines(response, (line) => {
          keepRaw(line)
          read(line)
        })
      } else {
        const text = await response.text()
        keepRaw(text)
        read(text)
      }
      say(summary, `${status} after ${ms(since())}${firstAt !== undefined && q.stream && response.ok ? `, first content after ${ms(firstAt)}` : ''}, ${bytes(received)}`)
    } catch (error) {
      say(summary, error.name === 'AbortError' ? `Stopped after ${ms(since())}.` : `The response broke off after ${ms(since())}: ${error.message}`)
    }
    if (running === own) stop.disabled = true
  }

  function showHead(response) {
    const entries = ['provider', 'model', 'attempts', 'fallback'].map((name) => [name[0].toUpperCase() + name.slice(1), response.headers.get(`x-router-${name}`)])
    entries.push(['Timing', response.headers.get('server-timing')])
    const id = response.headers.get('x-request-id')
    put(head, entries.filter(([, value]) => value).map(([name, value]) => [h('dt', null, name), h('dd', null, value)]),
      id ? [h('dt', null, 'Request id'), h('dd', null, h('a', { href: `#requests/${encodeURIComponent(id)}` }, id))] : null)
  }

  async function readLines(response, take) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      const lines = (rest + value).split('\n')
      rest = lines.pop()
      lines.filter(Boolean).forEach(take)
    }
    if (rest) take(rest)
  }

  return {
    name: 'tester', title: 'Tester', node,
    async show() {
      try {
        const known = [...(await get('admin/routes')).routes.map((route) => route.name), ...(app.state?.models ?? []).map(({ model }) => model)]
        put(names, [...new Set(known)].map((value) => h('option', { value })))
      } catch { /* the names are only suggestions */ }
    },
  }
}
