'use strict';

/** The requests of the node, without n8n and without LangChain. */

/** The address of chat completions below a base URL, which may end with `/v1` or `/api/v1`. */
function chatURL(baseUrl) {
  const base = baseUrl.trim().replace(/\/+$/, '');
  return `${/\/v1$/.test(base) ? base : `${base}/v1`}/chat/completions`;
}

/** The header fields with the key of a credential; none without authentication. */
function authorization(credentials) {
  switch (credentials.authentication) {
    case 'bearer':
      return { Authorization: `Bearer ${credentials.token}` };
    case 'basic': {
      const pair = `${credentials.username ?? ''}:${credentials.password}`;
      return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
    }
    default:
      return {};
  }
}

/** An error that the router reports: its status, its code and its message. */
class RouterError extends Error {
  constructor(status, body) {
    let error;
    try {
      error = JSON.parse(body).error;
    } catch {
      error = undefined;
    }
    super(`LLM Router: ${error?.message ?? `the response has the status ${status}`}`);
    this.name = 'RouterError';
    this.status = status;
    this.code = error?.code ?? undefined;
  }
}

async function post(settings, body, signal) {
  const response = await fetch(chatURL(settings.baseUrl), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...settings.headers },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok) throw new RouterError(response.status, await response.text());
  return response;
}

/** A chat completion. */
async function complete(settings, body, signal) {
  return (await post(settings, body, signal)).json();
}

/** The chunks of a streamed chat completion. A stream that ends without `[DONE]`, or with an error, throws. */
async function* stream(settings, body, signal) {
  const response = await post(settings, { ...body, stream: true }, signal);
  for await (const data of events(response.body)) {
    if (data === '[DONE]') return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new RouterError(chunk.error.status ?? 502, data);
    yield chunk;
  }
  throw new Error('LLM Router: the response was broken off');
}

/** The data of server-sent events. Source: the HTML standard, "Server-sent events". */
async function* events(body) {
  const decoder = new TextDecoder();
  let rest = '';
  let data = [];
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (data.length) yield data.join('\n');
        data = [];
      } else if (line.startsWith('data:')) {
        data.push(line.slice(line[5] === ' ' ? 6 : 5));
      }
    }
  }
}

module.exports = { RouterError, authorization, chatURL, complete, events, stream };
