'use strict';

/** The address of a router, and the key that it wants, if it wants one. */
class LlmRouterApi {
  constructor() {
    this.name = 'llmRouterApi';
    this.displayName = 'LLM Router API';
    this.documentationUrl = 'https://github.com/llm-router/llm-router';
    this.icon = 'file:../nodes/LlmRouter/llm-router.svg';
    const onlyFor = (authentication) => ({ show: { authentication: [authentication] } });
    this.properties = [
      {
        displayName: 'Base URL',
        name: 'baseUrl',
        type: 'string',
        default: 'http://localhost:8080',
        placeholder: 'https://router.example.com',
        required: true,
        description: 'The address of the router, with or without /v1',
      },
      {
        displayName: 'Authentication',
        name: 'authentication',
        type: 'options',
        options: [
          { name: 'None', value: 'none' },
          { name: 'Basic Auth', value: 'basic' },
          { name: 'Bearer Token', value: 'bearer' },
        ],
        default: 'none',
        description: 'How the router knows you; the key is the password or the token',
      },
      { displayName: 'Username', name: 'username', type: 'string', default: '', displayOptions: onlyFor('basic') },
      {
        displayName: 'Password',
        name: 'password',
        type: 'string',
        typeOptions: { password: true },
        default: '',
        required: true,
        displayOptions: onlyFor('basic'),
      },
      {
        displayName: 'Token',
        name: 'token',
        type: 'string',
        typeOptions: { password: true },
        default: '',
        required: true,
        displayOptions: onlyFor('bearer'),
      },
    ];
    this.authenticate = {
      type: 'generic',
      properties: {
        headers: {
          Authorization:
            '={{$credentials.authentication === "bearer" ? "Bearer " + $credentials.token : ' +
            '$credentials.authentication === "basic" ? "Basic " + ' +
            'Buffer.from($credentials.username + ":" + $credentials.password).toString("base64") : undefined}}',
        },
      },
    };
    // The list of models needs the key, so that a wrong one shows.
    this.test = { request: { baseURL: '={{$credentials.baseUrl.replace(/\\/+$/, "")}}', url: '/models' } };
  }
}

module.exports = { LlmRouterApi };
