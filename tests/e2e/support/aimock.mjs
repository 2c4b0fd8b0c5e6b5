// A model API that is not ours: @copilotkit/aimock on a free port, and bare upstreams that misbehave.
import { createServer } from "node:http";
import { loadAimock } from "./packages.mjs";
import { standard } from "./configuration.mjs";

export async function withAimock(body) {
  const { LLMock } = await loadAimock();
  const mock = new LLMock({ port: 0, logLevel: "silent" });
  await mock.start();
  try {
    await body(mock);
  } finally {
    await mock.stop();
  }
}

/** An upstream that answers chat completions with `handler(request, response)`; its body was read before. */
export async function withUpstream(handler, body) {
  const upstream = createServer((request, response) => {
    request.resume().on("end", () => handler(request, response));
  });
  await new Promise((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  try {
    await body(`http://127.0.0.1:${upstream.address().port}/v1`);
  } finally {
    upstream.closeAllConnections();
    await new Promise((resolve) => upstream.close(resolve));
  }
}

/** The agent `writer` on an API of that kind. */
function configurationOf(kind, model, baseUrl, provider, agent) {
  const writer = { provider: "mock", model, instructions: "Be brief.", tools: ["clock", "calculator"], titles: "none", ...agent };
  return standard({
    providers: { mock: { kind, base_url: baseUrl, api_key_env: "MOCK_KEY", max_retries: 0, ...provider } },
    prices: { [`mock/${model}`]: { input: 1, cached_input: 0.1, output: 4 } },
    projects: { demo: { agents: { writer } } },
  });
}
export const openaiConfiguration = (baseUrl, provider = {}, agent = {}) =>
  configurationOf("openai", "gpt-test", baseUrl, provider, agent);
/** `baseUrl` without /v1. */
export const anthropicConfiguration = (baseUrl, provider = {}, agent = {}) =>
  configurationOf("anthropic", "claude-test", baseUrl, provider, agent);

export const key = { env: { MOCK_KEY: "secret-key-of-the-test" } };

export const streamHead = { "content-type": "text/event-stream" };
export const chunk = (content) =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
