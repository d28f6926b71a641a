'use strict';

const { spawn } = require('node:child_process');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');

const PROGRAM = process.env.LLM_ROUTER_BIN ?? path.join(__dirname, '../../../.build/debug/llm-router');
const KEY = 'sk-n8n-0123456789abcdef';

const POLICY = `
version: 1
listen: 127.0.0.1:0
keys: { n8n: { secret: ${KEY} } }
providers:
  demo: { plugin: demo }
  broken: { plugin: demo, fail: 500, }
  cut: { plugin: demo, cut: 1 }
models:
  small: { provider: demo, tags: [coding], type: fast, supports: [image, tools, json], context: 8192, max_output: 4096 }
  failing: { provider: broken }
  half: { provider: cut }
routes:
  auto: { try: [small] }
defaults: { retry: { retries: 0 } }
`;

/** A running router with a policy of demo models. */
async function start() {
  const folder = mkdtempSync(path.join(tmpdir(), 'n8n-'));
  const file = path.join(folder, 'routes.yaml');
  writeFileSync(file, POLICY);
  const child = spawn(PROGRAM, ['serve', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  const port = await new Promise((resolve, reject) => {
    child.stderr.on('data', (bytes) => {
      log += bytes;
      const found = log.match(/listening[^\n]*127\.0\.0\.1:(\d+)/);
      if (found) resolve(found[1]);
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the router ended with ${code}: ${log}`)));
  });
  child.removeAllListeners('exit');
  const stop = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

module.exports = { KEY, start };
