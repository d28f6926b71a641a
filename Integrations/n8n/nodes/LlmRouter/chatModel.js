'use strict';

const client = require('./client');
const { withImage } = require('./request');

const ROLES = { human: 'user', ai: 'assistant', system: 'system', tool: 'tool', function: 'function', developer: 'developer' };

/** A message of LangChain in OpenAI's format. */
function message(langChainMessage) {
  const type = langChainMessage._getType?.() ?? langChainMessage.type;
  const converted = { role: ROLES[type] ?? langChainMessage.role ?? 'user', content: langChainMessage.content };
  if (langChainMessage.name) converted.name = langChainMessage.name;
  if (type === 'tool') converted.tool_call_id = langChainMessage.tool_call_id;
  const calls = langChainMessage.tool_calls ?? [];
  if (type === 'ai' && calls.length) {
    converted.tool_calls = calls.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: JSON.stringify(call.args ?? {}) },
    }));
    if (converted.content === '') converted.content = null;
  }
  return converted;
}

/** A tool in OpenAI's format. LangChain's tools have a schema of Zod or of JSON. */
function tool(definition, toJsonSchema) {
  if (definition.type === 'function' && definition.function) return definition;
  const { name, description, schema } = definition;
  return { type: 'function', function: { name, description, parameters: toJsonSchema(schema) } };
}

function toolCall(call) {
  let args = {};
  try {
    args = JSON.parse(call.function?.arguments || '{}');
  } catch {
    return undefined;
  }
  return { id: call.id, name: call.function?.name, args, type: 'tool_call' };
}

function usage(counts) {
  if (!counts) return undefined;
  return { input_tokens: counts.prompt_tokens, output_tokens: counts.completion_tokens, total_tokens: counts.total_tokens };
}

/**
 * The class of the chat model, over LangChain's own classes: those of the n8n in which the node runs, so that its agents
 * and chains know the model as one of theirs.
 *
 * @param {object} langChain BaseChatModel, AIMessage, AIMessageChunk, ChatGenerationChunk and toJsonSchema.
 */
function chatModelClass({ BaseChatModel, AIMessage, AIMessageChunk, ChatGenerationChunk, toJsonSchema }) {
  return class LlmRouterChatModel extends BaseChatModel {
    /** @param {{baseUrl: string, headers: object, members: object, imageUrl?: string, imageDetail?: string}} fields */
    constructor(fields) {
      super(fields);
      this.fields = fields;
      this.lc_namespace = ['langchain', 'chat_models', 'llm_router'];
    }

    _llmType() {
      return 'llm-router';
    }

    bindTools(tools, settings = {}) {
      const bound = { tools: tools.map((definition) => tool(definition, toJsonSchema)) };
      if (settings.tool_choice !== undefined) bound.tool_choice = settings.tool_choice;
      return new LlmRouterChatModel({ ...this.fields, members: { ...this.fields.members, ...bound } });
    }

    request(messages, options) {
      const { members, imageUrl, imageDetail } = this.fields;
      const body = { ...members, messages: withImage(messages.map(message), imageUrl, imageDetail) };
      if (options?.stop?.length) body.stop = options.stop;
      return body;
    }

    async _generate(messages, options) {
      const response = await client.complete(this.fields, this.request(messages, options), options?.signal);
      const choice = response.choices?.[0] ?? {};
      const content = choice.message?.content ?? '';
      const calls = choice.message?.tool_calls ?? [];
      const metadata = { finish_reason: choice.finish_reason, model_name: response.model, router: response._router };
      const reply = new AIMessage({
        content,
        tool_calls: calls.map(toolCall).filter(Boolean),
        additional_kwargs: calls.length ? { tool_calls: calls } : {},
        usage_metadata: usage(response.usage),
        response_metadata: metadata,
      });
      const counts = response.usage ?? {};
      const tokenUsage = {
        promptTokens: counts.prompt_tokens,
        completionTokens: counts.completion_tokens,
        totalTokens: counts.total_tokens,
      };
      return {
        generations: [{ text: content, message: reply, generationInfo: metadata }],
        llmOutput: { tokenUsage, router: response._router },
      };
    }

    async *_streamResponseChunks(messages, options, runManager) {
      const body = { ...this.request(messages, options), stream_options: { include_usage: true } };
      for await (const chunk of client.stream(this.fields, body, options?.signal)) {
        const choice = chunk.choices?.[0];
        if (!choice && !chunk.usage) continue;
        const text = choice?.delta?.content ?? '';
        const calls = choice?.delta?.tool_calls ?? [];
        const metadata = {};
        if (choice?.finish_reason) metadata.finish_reason = choice.finish_reason;
        if (chunk._router) metadata.router = chunk._router;
        const part = new ChatGenerationChunk({
          text,
          message: new AIMessageChunk({
            content: text,
            tool_call_chunks: calls.map((call) => ({
              index: call.index,
              id: call.id,
              name: call.function?.name,
              args: call.function?.arguments,
              type: 'tool_call_chunk',
            })),
            usage_metadata: usage(chunk.usage),
            response_metadata: metadata,
          }),
          generationInfo: metadata,
        });
        yield part;
        if (text) await runManager?.handleLLMNewToken(text, undefined, undefined, undefined, undefined, { chunk: part });
      }
    }
  };
}

module.exports = { chatModelClass, message, tool };
