// The router's HTTP API, and the key with which the page uses it.

/** The address that the router's paths are relative to. The page is one level below it. */
const base = new URL('../', document.baseURI)
const KEY = 'llm-router admin key'

export const url = (path) => new URL(path, base)
export const key = () => sessionStorage.getItem(KEY)
export const keep = (text) => text ? sessionStorage.setItem(KEY, text) : sessionStorage.removeItem(KEY)

/** An error response of the router, or none at all (`status` 0). */
export class RouterError extends Error {
  constructor(status, message, body) {
    super(message)
    this.status = status
    this.body = body
  }
}

/** Who is told that a key is missing or refused. */
let refused = () => {}
export const onRefusal = (listener) => { refused = listener }

export async function send(path, { method = 'GET', body, headers = {}, signal, candidate } = {}) {
  const secret = candidate ?? key()
  const fields = secret ? { authorization: `Bearer ${secret}`, ...headers } : headers
  let response
  try {
    response = await fetch(url(path), { method, body, headers: fields, signal, cache: 'no-store', credentials: 'omit' })
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw new RouterError(0, 'the router does not respond')
  }
  return response
}

async function checked(response) {
  if (response.ok) return response
  const text = await response.text()
  let body
  try { body = JSON.parse(text) } catch { body = null }
  const error = new RouterError(response.status, body?.error?.message ?? `the router responded with ${response.status}`, body)
  if (response.status === 401 || body?.error?.code === 'admin_only') refused(error)
  throw error
}

export const get = async (path, options) => (await checked(await send(path, options))).json()
export const post = async (path, body, options) => (await checked(await send(path, { method: 'POST', body, ...options }))).json()

/** Server-sent events, read by `fetch`, because `EventSource` can't send a key. Ends with the stream, or throws. */
export async function events(path, listen, signal) {
  const response = await checked(await send(path, { signal, headers: { accept: 'text/event-stream' } }))
  for await (const event of eventsOf(response)) listen(event)
}

/** The events of a response: `{ type, data }`. */
export async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  let [type, data] = ['message', []]
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const lines = (rest + value).split(/\r\n|\n/)
    rest = lines.pop()
    for (const line of lines) {
      if (line === '') {
        if (data.length) yield { type, data: data.join('\n') }
        ;[type, data] = ['message', []]
      } else if (line.startsWith('event:')) type = line.slice(6).trim()
      else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
    }
  }
}
