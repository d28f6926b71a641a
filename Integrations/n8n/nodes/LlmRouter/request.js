'use strict';

/** The members of a request that the node's parameters stand for. A parameter that isn't set adds nothing. */

/** What `model` says: nothing for the automatic choice, one name, or a list in the order of preference. */
function models(text) {
  const names = (text ?? '').split(',').map((name) => name.trim()).filter(Boolean);
  if (names.length === 0) return 'auto';
  return names.length === 1 ? names[0] : names;
}

/** `provider/model`; the model's name may have further slashes. */
function fallback(text) {
  const name = (text ?? '').trim();
  const slash = name.indexOf('/');
  if (name === '') return {};
  if (slash <= 0 || slash === name.length - 1) return { fallback_model: name };
  return { fallback_provider: name.slice(0, slash), fallback_model: name.slice(slash + 1) };
}

/** The option's name in the node, the member of the request, and the least value that counts. */
const NUMBERS = [
  ['temperature', 'temperature', 0],
  ['maxTokens', 'max_tokens', 1],
  ['topP', 'top_p', 0],
  ['frequencyPenalty', 'frequency_penalty', -2],
  ['presencePenalty', 'presence_penalty', -2],
  ['filterMinContextSize', 'min_context_size', 1],
  ['filterMinMaxOutputTokens', 'min_max_output_tokens', 1],
  ['filterMinSuccessRate', 'min_success_rate', Number.MIN_VALUE],
  ['timeout', 'timeout_secs', 1],
  ['maxModelSwitches', 'max_model_switches', 1],
  ['maxSameModelRetries', 'max_same_model_retries', 0],
  ['retryDelay', 'retry_delay', 0],
];

/** The option's name in the node, and the member of the request that is true with it. */
const FLAGS = [
  ['filterPreferLowestLatency', 'prefer_fast'],
  // What older versions of the Free LLM Router's node call it.
  ['filterPreferFast', 'prefer_fast'],
  ['filterSupportsImage', 'supports_image'],
  ['filterSupportsVideo', 'supports_video'],
  ['filterSupportsAudio', 'supports_audio'],
  ['filterSupportsFile', 'supports_file'],
  ['filterSupportsTools', 'supports_tools'],
];

/**
 * @param {{model?: string, selectionMode?: string, tags?: string, type?: string, jsonResponse?: boolean, options?: object}} parameters
 */
function members(parameters) {
  const options = parameters.options ?? {};
  const request = { model: models(parameters.model) };
  if (parameters.selectionMode && parameters.selectionMode !== 'weighted_random') request.selection_mode = parameters.selectionMode;
  if (parameters.tags?.trim()) request.tags = parameters.tags.trim();
  if (parameters.type) request.type = parameters.type;
  if (parameters.jsonResponse) request.response_format = { type: 'json_object' };
  for (const [option, member, least] of NUMBERS) {
    if (typeof options[option] === 'number' && options[option] >= least) request[member] = options[option];
  }
  for (const [option, member] of FLAGS) {
    if (options[option]) request[member] = true;
  }
  return { ...request, ...fallback(options.fallbackModel) };
}

/** Adds an image to the last message of the user. */
function withImage(messages, url, detail) {
  if (!url?.trim()) return messages;
  const index = messages.findLastIndex((message) => message.role === 'user');
  const image = { type: 'image_url', image_url: { url: url.trim(), ...(detail ? { detail } : {}) } };
  if (index < 0) return [...messages, { role: 'user', content: [image] }];
  const { content } = messages[index];
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : [...(content ?? [])];
  return messages.with(index, { ...messages[index], content: [...parts, image] });
}

module.exports = { members, models, withImage };
