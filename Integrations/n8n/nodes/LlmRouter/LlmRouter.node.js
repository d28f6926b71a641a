'use strict';

const { authorization } = require('./client');
const { members } = require('./request');
const { chatModelClass } = require('./chatModel');

/** LangChain's classes from n8n's own installation. They are loaded when a workflow runs, not with the node. */
function langChain() {
  const { BaseChatModel } = require('@langchain/core/language_models/chat_models');
  const { AIMessage, AIMessageChunk } = require('@langchain/core/messages');
  const { ChatGenerationChunk } = require('@langchain/core/outputs');
  const { convertToOpenAITool } = require('@langchain/core/utils/function_calling');
  const toJsonSchema = (schema) =>
    convertToOpenAITool({ name: 'tool', description: '', schema, lc_namespace: ['langchain', 'tools'] }).function.parameters;
  return { BaseChatModel, AIMessage, AIMessageChunk, ChatGenerationChunk, toJsonSchema };
}

function number(displayName, name, description, typeOptions, byDefault) {
  return { displayName, name, type: 'number', default: byDefault, typeOptions, description };
}

function requires(kind, name, words) {
  return { displayName: `Filter: Supports ${kind}`, name, type: 'boolean', default: false, description: `Whether only models that ${words} may serve the request` };
}

const OPTIONS = [
  number('Temperature', 'temperature', 'Higher values make the output more random', { minValue: 0, maxValue: 2, numberPrecision: 1 }, 0.7),
  number('Maximum Tokens', 'maxTokens', 'The most tokens of the response', { minValue: 1 }, 1000),
  number('Top P', 'topP', 'Lower values make the output more focused', { minValue: 0, maxValue: 1, numberPrecision: 2 }, 1),
  number('Frequency Penalty', 'frequencyPenalty', 'Positive values make repetitions rarer', { minValue: -2, maxValue: 2, numberPrecision: 1 }, 0),
  number('Presence Penalty', 'presencePenalty', 'Positive values lead to new topics', { minValue: -2, maxValue: 2, numberPrecision: 1 }, 0),
  { displayName: 'Image URL', name: 'imageUrl', type: 'string', default: '', description: 'An image for the last message of the user: an address, or a data: URL' },
  {
    displayName: 'Image Detail',
    name: 'imageDetail',
    type: 'options',
    options: [
      { name: 'Auto', value: 'auto' },
      { name: 'Low', value: 'low' },
      { name: 'High', value: 'high' },
    ],
    default: 'auto',
    description: 'How closely the model looks at the image',
  },
  number('Filter: Minimum Context Size', 'filterMinContextSize', 'Only models that take at least this many tokens', { minValue: 0 }, 0),
  number('Filter: Minimum Max Output Tokens', 'filterMinMaxOutputTokens', 'Only models that give at least this many tokens', { minValue: 0 }, 0),
  { displayName: 'Filter: Prefer Lowest Latency', name: 'filterPreferLowestLatency', type: 'boolean', default: false, description: 'Whether models with a low measured latency come first' },
  number('Filter: Minimum Success Rate', 'filterMinSuccessRate', 'Only models whose recent success rate is at least this', { minValue: 0, maxValue: 1, numberPrecision: 2 }, 0),
  requires('Image', 'filterSupportsImage', 'take images'),
  requires('Video', 'filterSupportsVideo', 'take video'),
  requires('Audio', 'filterSupportsAudio', 'take audio'),
  requires('File', 'filterSupportsFile', 'take files'),
  requires('Tools', 'filterSupportsTools', 'call tools'),
  number('Routing: Provider Timeout (Seconds)', 'timeout', 'The longest time for each attempt', { minValue: 1, maxValue: 600 }, 60),
  number('Routing: Max Model Switches', 'maxModelSwitches', 'How many models the request may be sent to', { minValue: 1, maxValue: 10 }, 3),
  number('Routing: Max Same Model Retries', 'maxSameModelRetries', 'How often the same model is retried', { minValue: 0, maxValue: 10 }, 2),
  number('Routing: Retry Delay (Ms)', 'retryDelay', 'The wait before each retry', { minValue: 0, maxValue: 30000 }, 3000),
  { displayName: 'Fallback Model', name: 'fallbackModel', type: 'string', default: '', placeholder: 'deepseek/deepseek-chat', description: 'PROVIDER/MODEL to call when everything else has failed' },
];

/** A chat model that sends its requests to llm-router. */
class LlmRouter {
  constructor() {
    this.description = {
      displayName: 'LLM Router Chat Model',
      name: 'llmRouter',
      icon: 'file:llm-router.svg',
      group: ['transform'],
      version: 1,
      description: 'Chat model of the router: it chooses the model, and another one when that fails',
      defaults: { name: 'LLM Router Chat Model' },
      codex: { categories: ['AI'], subcategories: { AI: ['Language Models', 'Root Nodes'] } },
      inputs: [],
      outputs: ['ai_languageModel'],
      outputNames: ['Model'],
      credentials: [{ name: 'llmRouterApi', required: true }],
      properties: [
        {
          displayName: 'Model',
          name: 'model',
          type: 'string',
          default: 'auto',
          placeholder: 'auto',
          description: 'auto: the router chooses. A name: that model or route. Names with commas: in this order.',
        },
        {
          displayName: 'Selection Mode',
          name: 'selectionMode',
          type: 'options',
          options: [
            { name: 'Weighted Random', value: 'weighted_random' },
            { name: 'Best', value: 'best' },
            { name: 'Top N Random', value: 'top_n_random' },
          ],
          default: 'weighted_random',
          description: 'How the model is chosen among those that may serve the request; the first one leaves it to the route',
        },
        { displayName: 'Tags', name: 'tags', type: 'string', default: '', placeholder: 'coding, !paid', description: 'Only models with one of these tags; & and ! work too' },
        {
          displayName: 'Type',
          name: 'type',
          type: 'options',
          options: [
            { name: 'Any', value: '' },
            { name: 'Fast', value: 'fast' },
            { name: 'Reasoning', value: 'reasoning' },
          ],
          default: '',
          description: 'Only models of this type',
        },
        { displayName: 'JSON Response', name: 'jsonResponse', type: 'boolean', default: false, description: 'Whether the response must be JSON' },
        { displayName: 'Options', name: 'options', type: 'collection', placeholder: 'Add Option', default: {}, options: OPTIONS },
      ],
    };
  }

  /** Called by n8n for the node that the model is connected to, with the functions of the execution as `this`. */
  async supplyData(itemIndex) {
    const credentials = await this.getCredentials('llmRouterApi');
    const get = (name, byDefault) => this.getNodeParameter(name, itemIndex, byDefault);
    const options = get('options', {});
    const parameters = {
      model: get('model', 'auto'),
      selectionMode: get('selectionMode', 'weighted_random'),
      tags: get('tags', ''),
      type: get('type', ''),
      jsonResponse: get('jsonResponse', false),
      options,
    };
    const ChatModel = chatModelClass(langChain());
    const response = new ChatModel({
      baseUrl: credentials.baseUrl,
      headers: authorization(credentials),
      members: members(parameters),
      imageUrl: options.imageUrl,
      imageDetail: options.imageDetail,
    });
    return { response };
  }
}

module.exports = { LlmRouter };
