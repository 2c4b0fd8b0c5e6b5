// A demo with something of everything in it: what the contract tests ask about. All of it through the API, as clients do it.
import assert from "node:assert/strict";
import { get, listAll, post, request } from "./clients.mjs";
import { until } from "./waiting.mjs";

const made = (answer) => (assert.ok(answer.status < 300, `${answer.status} ${answer.text}`), answer.body);
const sessionPath = (id) => `/api/v1/sessions/${id}`;

export class DemoWorld {
  constructor(server) {
    this.server = server;
  }

  async session() {
    return made(await post(this.server, "/api/v1/projects/demo/sessions", { metadata: { colour: "red" } })).id;
  }

  /** Sends and waits for the answer, or for the question to a person. */
  async say(session, content, more = {}) {
    return made(await post(this.server, `${sessionPath(session)}/messages?wait=true`, { content, ...more }));
  }

  /** A session that waits for a person, with a message in its queue. */
  async parked() {
    const session = await this.session();
    const { approvalId } = await this.say(session, "delete the file");
    const { messageId } = made(await post(this.server, `${sessionPath(session)}/messages`, { content: "thanks" }));
    return { session, approvalId, messageId };
  }

  async exchange() {
    const session = await this.session();
    const { runId } = await this.say(session, "what time is it?");
    const messages = await listAll(this.server, `${sessionPath(session)}/messages`);
    return { session, runId, messageId: messages[0].id, answerId: messages.findLast((m) => m.role === "assistant").id };
  }

  async remembered() {
    const { approvalId } = await this.parked();
    made(await post(this.server, `/api/v1/approvals/${approvalId}/decide`, { approved: true, remember: true, note: "for good" }));
    return made(await get(this.server, "/api/v1/approvals/remembered")).items[0].id;
  }

  async upload(session) {
    const type = { "content-type": "text/plain" };
    return made(await request(this.server, "POST", `${sessionPath(session)}/files?name=note.txt`, "a note", type)).fileId;
  }

  #agents = 0;

  /** An agent that was made over REST. */
  async agent() {
    const definition = { provider: "demo", model: "scripted", tools: ["clock"] };
    return made(await post(this.server, "/api/v1/projects/demo/agents", { id: `made-${++this.#agents}`, definition, note: "for the tests" })).id;
  }

  async eventsChat() {
    const { id } = made(await post(this.server, "/api/v1/chats", { userId: "ana" }));
    made(await post(this.server, `/api/v1/chats/${id}/messages`, { content: "what time is it?" }));
    return id;
  }

  /** A run of scenarios that has ended, after which another may begin. */
  async scenarioRun() {
    const runs = "/api/v1/scenarios/runs";
    const over = async () => (made(await get(this.server, runs)).items[0]?.status ?? "none") !== "running";
    await until(over, "the end of a run of scenarios");
    const { id } = made(await post(this.server, runs, { tags: ["approvals"] }));
    await until(over, "the end of a run of scenarios");
    return id;
  }

  /** Values of path parameters by where they stand, as the document names them: `sessions/{id}`. */
  async build() {
    const { session, messageId } = await this.exchange();
    const fileId = await this.upload(session);
    await this.say(session, "write a file", { clientMessageId: "c-1", attachments: [fileId] });
    await this.say(session, "ask the scout");
    made(await post(this.server, `${sessionPath(session)}/messages/${messageId}/reactions`, { emoji: "👍" }));
    const { approvalId } = await this.say(session, "delete the file");
    made(await post(this.server, `/api/v1/approvals/${approvalId}/deny`, { note: "keep it" }));
    await this.remembered();
    const parked = await this.parked();
    made(await post(this.server, "/api/chat", { message: "what time is it?", conversation_id: "conv_w" }));
    const room = made(await post(this.server, "/chat/messages", { content: "what time is it?" })).conversationId;
    const { items: calls } = made(await get(this.server, `${sessionPath(session)}/tool-calls`));
    const { items: traces } = made(await get(this.server, `${sessionPath(session)}/traces`));
    made(await request(this.server, "DELETE", `/api/v1/projects/demo/agents/${await this.agent()}`)); // for the list of deleted ones
    this.values = {
      "projects/{p}": "demo", "agents/{a}": await this.agent(), "versions/{n}": "1", "sessions/{id}": session, "messages/{messageId}": messageId,
      "queue/{messageId}": parked.messageId, "files/{fileId}": fileId, "tool-calls/{callId}": calls[0].toolCallId,
      "approvals/{id}": parked.approvalId, "remembered/{id}": await this.remembered(), "traces/{id}": traces[0].traceId,
      "chat/{id}": "conv_w", "/api/conversations/{id}": "conv_w", "/chat/conversations/{id}": room, "tools/{name}": "clock",
      "runs/{id}": await this.scenarioRun(), "user/{userId}": "ana", "codigo/{codigo}": "ana", "chats/{id}": await this.eventsChat(), ...(await this.#asset()),
    };
    this.parkedSession = parked.session;
    return this;
  }

  /** A file that the page at / asks for; none where the console is not built in. */
  async #asset() {
    const page = (await get(this.server, "/", { accept: "text/html" })).text;
    const file = page.match(/"\/?assets\/([^"]+)"/)?.[1];
    return file ? { "assets/{file}": file } : {};
  }

  /** The path with `values` in it; null where one is unknown. The whole path up to a name wins over the segment before it. */
  static path(pattern, values) {
    let missing = false;
    const path = pattern.replace(/([^/{}]+)\/(\{\w+\})/g, (place, before, name, at) => {
      const value = values[pattern.slice(0, at + place.length)] ?? values[place];
      missing ||= value === undefined;
      return `${before}/${encodeURIComponent(value)}`;
    });
    return missing ? null : path;
  }
}
