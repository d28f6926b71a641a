'use strict';

const assert = require('node:assert/strict');
const { existsSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { after, before, test } = require('node:test');

const { RouterError, authorization, chatURL, complete, events, stream } = require('../nodes/LlmRouter/client');
const { members, withImage } = require('../nodes/LlmRouter/request');
const { LlmRouter } = require('../nodes/LlmRouter/LlmRouter.node');
const { LlmRouterApi } = require('../credentials/LlmRouterApi.credentials');
const { KEY, start } = require('./router');
const manifest = require('../package.json');

let router;
before(async () => {
  router = await start();
});
after(() => router.stop());

const bearer = { authentication: 'bearer', token: KEY };
const settings = (credentials = bearer) => ({ baseUrl: router.url, headers: authorization(credentials) });
const hello = { messages: [{ role: 'user', content: 'Hello' }] };

// LangChain's classes as far as the model uses them: n8n brings the real ones.
class Holder {
  constructor(fields) {
    Object.assign(this, fields);
  }
}
const standIns = {
  '@langchain/core/language_models/chat_models': { BaseChatModel: class {} },
  '@langchain/core/messages': { AIMessage: class AIMessage extends Holder {}, AIMessageChunk: class AIMessageChunk extends Holder {} },
  '@langchain/core/outputs': { ChatGenerationChunk: class ChatGenerationChunk extends Holder {} },
  '@langchain/core/utils/function_calling': {
    convertToOpenAITool: ({ schema }) => ({ type: 'function', function: { parameters: schema } }),
  },
};
const load = Module._load;
Module._load = (name, ...rest) => standIns[name] ?? load(name, ...rest);

/** The model that the node gives to an agent, with these parameters. */
async function supplied(parameters, credentials = bearer) {
  const execution = {
    getCredentials: async () => ({ baseUrl: router.url, ...credentials }),
    getNodeParameter: (name, _index, byDefault) => parameters[name] ?? byDefault,
  };
  return (await new LlmRouter().supplyData.call(execution, 0)).response;
}
const human = (content) => ({ _getType: () => 'human', content });

test('the manifest names files that exist', () => {
  for (const file of [...manifest.n8n.nodes, ...manifest.n8n.credentials]) assert.ok(existsSync(path.join(__dirname, '..', file)), file);
  const { description } = new LlmRouter();
  assert.deepEqual(description.credentials.map((entry) => entry.name), [new LlmRouterApi().name]);
  assert.ok(existsSync(path.join(__dirname, '../nodes/LlmRouter/llm-router.svg')));
});

test('a base URL may have the path of the API', () => {
  for (const base of ['http://h', 'http://h/', 'http://h/v1', 'http://h/v1/']) assert.equal(chatURL(base), 'http://h/v1/chat/completions');
  assert.equal(chatURL('http://h/api/v1'), 'http://h/api/v1/chat/completions');
});

test('the parameters become the members of a request', () => {
  assert.deepEqual(members({}), { model: 'auto' });
  assert.deepEqual(members({ model: ' small ' }), { model: 'small' });
  assert.deepEqual(members({ model: 'a/b, c,, auto' }), { model: ['a/b', 'c', 'auto'] });
  const options = {
    temperature: 0, maxTokens: 5, topP: 0.5, frequencyPenalty: -1, presencePenalty: 1, filterMinContextSize: 4096,
    filterMinMaxOutputTokens: 512, filterSupportsImage: true, filterSupportsVideo: true, filterSupportsAudio: true,
    filterSupportsFile: true, filterSupportsTools: true, filterPreferLowestLatency: true, filterMinSuccessRate: 0.9, timeout: 60, maxModelSwitches: 3, maxSameModelRetries: 0, retryDelay: 0,
    fallbackModel: 'openrouter/deepseek/deepseek-r1',
  };
  assert.deepEqual(members({ selectionMode: 'best', tags: 'coding, !paid', type: 'fast', jsonResponse: true, options }), {
    model: 'auto', tags: 'coding, !paid', type: 'fast', response_format: { type: 'json_object' }, temperature: 0, max_tokens: 5, top_p: 0.5,
    frequency_penalty: -1, presence_penalty: 1, selection_mode: 'best', min_context_size: 4096, min_max_output_tokens: 512,
    supports_image: true, supports_video: true, supports_audio: true, supports_file: true, supports_tools: true, prefer_fast: true, min_success_rate: 0.9, timeout_secs: 60,
    max_model_switches: 3, max_same_model_retries: 0, retry_delay: 0, fallback_provider: 'openrouter', fallback_model: 'deepseek/deepseek-r1',
  });
  assert.deepEqual(members({ options: { filterPreferFast: true } }), { model: 'auto', prefer_fast: true });
  assert.deepEqual(members({ selectionMode: 'weighted_random', options: { filterSupportsTools: false } }), { model: 'auto' });
  assert.deepEqual(members({ options: { filterMinContextSize: 0, filterMinSuccessRate: 0, fallbackModel: ' ' } }), { model: 'auto' });
});

// The names of the node of the Free LLM Router, whose settings can be copied.
test('every parameter of the origin is one of the node', () => {
  const { properties } = new LlmRouter().description;
  const names = (list) => list.map((entry) => entry.name);
  for (const name of ['model', 'selectionMode', 'tags', 'type', 'jsonResponse', 'options']) assert.ok(names(properties).includes(name), name);
  const options = names(properties.find((entry) => entry.name === 'options').options);
  for (const name of [
    'temperature', 'maxTokens', 'topP', 'frequencyPenalty', 'presencePenalty', 'filterMinContextSize', 'filterMinMaxOutputTokens',
    'filterPreferLowestLatency', 'filterMinSuccessRate', 'filterSupportsImage', 'filterSupportsVideo', 'filterSupportsAudio',
    'filterSupportsFile', 'filterSupportsTools', 'timeout', 'maxModelSwitches', 'maxSameModelRetries', 'retryDelay', 'fallbackModel',
  ]) assert.ok(options.includes(name), name);
});

test('an image joins the last message of the user', () => {
  const part = { type: 'image_url', image_url: { url: 'http://h/a.png', detail: 'low' } };
  const messages = [{ role: 'user', content: 'a' }, { role: 'assistant', content: 'b' }];
  assert.deepEqual(withImage(messages, 'http://h/a.png', 'low')[0].content, [{ type: 'text', text: 'a' }, part]);
  assert.deepEqual(withImage([], 'http://h/a.png', 'low'), [{ role: 'user', content: [part] }]);
  assert.equal(withImage(messages, ' '), messages);
});

test('events are read wherever the bytes are cut', async () => {
  const text = ': ping\r\n\r\ndata: {"a":"é"}\r\n\r\ndata:b\ndata: c\n\nevent: x\ndata: [DONE]\n\n';
  for (const size of [1, 2, 3, 1000]) {
    const bytes = Buffer.from(text);
    const cut = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    const found = [];
    for await (const data of events(cut())) found.push(data);
    assert.deepEqual(found, ['{"a":"é"}', 'b\nc', '[DONE]'], `cut into ${size}`);
  }
});

test('each authentication reaches the router', async () => {
  const basic = { authentication: 'basic', username: 'anyone', password: KEY };
  for (const credentials of [bearer, basic]) {
    const response = await complete(settings(credentials), { ...hello, model: 'small' });
    assert.match(response.choices[0].message.content, /Hello/);
  }
  await assert.rejects(complete(settings({ authentication: 'none' }), hello), (error) => error instanceof RouterError && error.status === 401);
});

test('auto, a name and a list choose a model', async () => {
  for (const model of ['auto', 'small', 'demo/small', 'nothing, small', 'failing, small']) {
    const response = await complete(settings(), { ...hello, ...members({ model }) });
    assert.equal(response._router.model_name, 'small', model);
  }
  await assert.rejects(complete(settings(), { ...hello, ...members({ model: 'nothing' }) }), (error) => error.status === 404);
});

test('the filters count', async () => {
  const chosen = await complete(settings(), { ...hello, ...members({ tags: 'coding', type: 'fast', options: { filterMinContextSize: 8192 } }) });
  assert.equal(chosen._router.model_name, 'small');
  const able = members({ selectionMode: 'top_n_random', options: { filterSupportsImage: true, filterSupportsTools: true } });
  assert.equal((await complete(settings(), { ...hello, ...able }))._router.model_name, 'small');
  for (const parameters of [
    { tags: 'other' }, { type: 'reasoning' }, { options: { filterMinContextSize: 9000 } }, { options: { filterSupportsVideo: true } },
    { options: { filterMinMaxOutputTokens: 5000 } },
  ]) {
    await assert.rejects(complete(settings(), { ...hello, ...members(parameters) }), RouterError);
  }
});

test('the fallback is called when everything else has failed', async () => {
  const parameters = members({ model: 'failing', options: { fallbackModel: 'demo/small', maxSameModelRetries: 0 } });
  const response = await complete(settings(), { ...hello, ...parameters });
  assert.equal(response._router.fallback_used, true);
});

test('a stream is complete, or throws', async () => {
  let text = '';
  for await (const chunk of stream(settings(), { ...hello, model: 'small' })) text += chunk.choices[0]?.delta?.content ?? '';
  assert.match(text, /Hello/);
  await assert.rejects(async () => {
    for await (const _ of stream(settings(), { ...hello, model: 'half' }));
  });
});

test('the model answers, with usage and the routing of the request', async () => {
  const model = await supplied({ model: 'small', options: { maxTokens: 100 } });
  const result = await model._generate([human('Hello')], {});
  assert.match(result.generations[0].text, /Hello/);
  assert.equal(result.generations[0].message.response_metadata.router.model_name, 'small');
  assert.ok(result.llmOutput.tokenUsage.totalTokens > 0);
});

test('the model streams', async () => {
  const model = await supplied({ model: 'small' });
  const tokens = [];
  let usage;
  for await (const part of model._streamResponseChunks([human('one two')], {}, { handleLLMNewToken: async (token) => tokens.push(token) })) {
    usage = part.message.usage_metadata ?? usage;
  }
  assert.match(tokens.join(''), /one two/);
  assert.ok(usage.total_tokens > 0);
});

test('an image and tools are sent', async () => {
  const model = await supplied({ model: 'small', options: { imageUrl: 'data:image/png;base64,', imageDetail: 'low' } });
  const bound = model.bindTools([{ name: 'look_up', description: 'd', schema: { type: 'object' } }], { tool_choice: 'auto' });
  const history = [
    human('a'),
    { _getType: () => 'ai', content: '', tool_calls: [{ id: '1', name: 'look_up', args: { q: 1 } }] },
    { _getType: () => 'tool', content: 'found', tool_call_id: '1' },
    human('b'),
  ];
  const body = bound.request(history, { stop: ['x'] });
  assert.deepEqual(body.tools, [{ type: 'function', function: { name: 'look_up', description: 'd', parameters: { type: 'object' } } }]);
  assert.deepEqual(body.messages[1].tool_calls[0].function, { name: 'look_up', arguments: '{"q":1}' });
  assert.equal(body.messages[2].tool_call_id, '1');
  assert.equal(body.messages[3].content[1].image_url.detail, 'low');
  assert.deepEqual(body.stop, ['x']);
  assert.ok((await bound._generate(history, {})).generations[0].text);
});

test('an error of the router keeps its words', async () => {
  const model = await supplied({ model: 'nothing' });
  await assert.rejects(model._generate([human('Hello')], {}), /nothing/);
});
