// A model API whose answers are in the hands of the test: what a run is in the middle of stays so until the test says more.
import { createServer } from "node:http";
import { chunk, key, openaiConfiguration, streamHead } from "./aimock.mjs";
import { until } from "./waiting.mjs";
import { withServer } from "./server.mjs";

class HeldCall {
  constructor(body, response) {
    this.body = body;
    this.response = response;
  }
  #write(text) {
    if (!this.response.headersSent) this.response.writeHead(200, streamHead);
    this.response.write(text);
    return this;
  }
  say(...pieces) {
    for (const piece of pieces) this.#write(chunk(piece));
    return this;
  }
  useTool(name, args = {}) {
    const call = { index: 0, id: "call-1", type: "function", function: { name, arguments: JSON.stringify(args) } };
    this.#choice({ delta: { tool_calls: [call] }, finish_reason: null });
    return this.end("tool_calls");
  }
  end(reason = "stop") {
    this.#choice({ delta: {}, finish_reason: reason });
    this.response.end("data: [DONE]\n\n");
    return this;
  }
  #choice(choice) {
    this.#write(`data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [{ index: 0, ...choice }] })}\n\n`);
  }
}

export class HeldModel {
  calls = [];

  static async start() {
    const model = new HeldModel();
    model.server = createServer(async (request, response) => {
      let text = "";
      for await (const piece of request) text += piece;
      model.calls.push(new HeldCall(JSON.parse(text), response));
    });
    await new Promise((resolve) => model.server.listen(0, "127.0.0.1", resolve));
    return model;
  }
  /** The n-th call of all, once it has come. */
  call(n) {
    return until(() => this.calls[n], `model call ${n}`);
  }
  /** The agent `writer` on this model, which waits for it as long as it takes. */
  configuration(agent = {}) {
    const timeouts_ms = { first_byte: 600_000, idle: 600_000 };
    return openaiConfiguration(`http://127.0.0.1:${this.server.address().port}/v1`, { timeouts_ms }, agent);
  }
  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** `body(server, model)` on a server whose model is held; `changes` are of the configuration, `env` is added to the server's. */
export async function withHeldModel(body, { changes = {}, env = {}, ...options } = {}) {
  const model = await HeldModel.start();
  try {
    const configuration = { ...model.configuration(), ...changes };
    await withServer(configuration, (server) => body(server, model), { ...options, env: { ...key.env, ...env } });
  } finally {
    await model.stop();
  }
}
