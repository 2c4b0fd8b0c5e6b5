// Sessions over REST, and what belongs to one: messages, events, queue, files, runs.
import type { LogEvent, Rating, SessionStatus } from "../events.js";
import { type CallOptions, type Http, part, type WriteOptions } from "../http.js";
import type {
  AcceptedMessage, ChatReply, Feedback, FileRecord, ForkedSession, MessageRecord, Page, Participants, QueuedMessage, Reaction, SendOptions, SessionExport,
  SessionRecord, StoredFile, ToolCallRecord, ToolOutputPart,
} from "../records.js";
import type { ScenarioFile } from "../records.operations.js";
import type { StreamedEvent } from "../sse.js";
import type { PageQuery } from "./projects.js";

const api = "/api/v1";
const at = (id: string): string => `${api}/sessions/${part(id)}`;

export interface SessionQuery extends PageQuery {
  /** In titles and messages. */
  q?: string;
  projectId?: string;
  status?: SessionStatus;
  /** Those that this session's agent delegated to. */
  parentId?: string;
  includeChildren?: boolean;
}

export class Sessions {
  constructor(private readonly http: Http) {}

  list(query?: SessionQuery, options?: CallOptions): Promise<Page<SessionRecord>> {
    return this.http.page(`${api}/sessions`, query, options);
  }
  create(projectId: string, session: { agentId?: string; metadata?: Record<string, unknown> } = {}, options?: CallOptions): Promise<SessionRecord> {
    return this.http.json("POST", `${api}/projects/${part(projectId)}/sessions`, { ...options, body: session });
  }
  get(id: string, options?: CallOptions): Promise<SessionRecord> {
    return this.http.json("GET", at(id), options);
  }
  update(id: string, changes: { title?: string; metadata?: Record<string, unknown> }, options?: CallOptions): Promise<SessionRecord> {
    return this.http.json("PATCH", at(id), { ...options, body: changes });
  }
  setStatus(id: string, status: SessionStatus, options?: CallOptions): Promise<SessionRecord> {
    return this.http.json("PATCH", `${at(id)}/status`, { ...options, body: { status } });
  }
  /** Closes it: it can be read, and takes no more messages. */
  delete(id: string, options?: CallOptions): Promise<SessionRecord> {
    return this.http.json("DELETE", at(id), options);
  }
  /** A copy of the whole exchanges up to `atSeq`; `content` is sent in it. */
  fork(id: string, fork: { atSeq?: number; content?: string } = {}, options?: WriteOptions): Promise<ForkedSession> {
    return this.http.json("POST", `${at(id)}/fork`, { ...options, body: fork });
  }
  export(id: string, options?: CallOptions): Promise<SessionExport> {
    return this.http.json("GET", `${at(id)}/export`, options);
  }
  /** As a scenario file that shows the same again; not while a run is going on. */
  async scenario(id: string, options?: CallOptions): Promise<ScenarioFile> {
    const response = await this.http.response("GET", `${at(id)}/scenario`, options);
    const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
    return { name: name ?? `${id}.json`, text: await response.text() };
  }
  participants(id: string, options?: CallOptions): Promise<Participants> {
    return this.http.json("GET", `${at(id)}/participants`, options);
  }
  /** All who may take part besides the owner, who alone may change them. */
  setParticipants(id: string, users: string[], options?: CallOptions): Promise<Participants> {
    return this.http.json("PUT", `${at(id)}/participants`, { ...options, body: { users } });
  }
  /** Of the sub-agents that this session's agent called. */
  children(id: string, query?: PageQuery, options?: CallOptions): Promise<Page<SessionRecord>> {
    return this.http.page(`${at(id)}/children`, query, options);
  }

  /** History, oldest first. */
  messages(id: string, query?: PageQuery, options?: CallOptions): Promise<Page<MessageRecord>> {
    return this.http.page(`${at(id)}/messages`, query, options);
  }
  /** Returns when the message is stored; the answer comes as events. */
  send(id: string, content: string, send: SendOptions = {}, options?: WriteOptions): Promise<AcceptedMessage> {
    return this.http.json("POST", `${at(id)}/messages`, { ...options, body: { content, ...send } });
  }
  /** Returns with the whole answer, or with `status: "pending"` when a person must decide first. */
  sendAndWait(id: string, content: string, send: SendOptions = {}, options?: WriteOptions): Promise<ChatReply> {
    return this.http.json("POST", `${at(id)}/messages`, { ...options, query: { wait: true }, body: { content, ...send } });
  }
  react(id: string, messageId: string, emoji: string, added = true, options?: CallOptions): Promise<Reaction & { messageId: string; added: boolean }> {
    return this.http.json("POST", `${at(id)}/messages/${part(messageId)}/reactions`, { ...options, body: { emoji, added } });
  }
  /** What the caller thinks of an answer, in the place of what he thought before. A note has 2000 characters at most. */
  feedback(id: string, messageId: string, feedback: { rating: Rating; note?: string }, options?: CallOptions): Promise<Feedback> {
    return this.http.json("PUT", `${at(id)}/messages/${part(messageId)}/feedback`, { ...options, body: feedback });
  }
  /** Takes the caller's feedback back. */
  deleteFeedback(id: string, messageId: string, options?: CallOptions): Promise<void> {
    return this.http.json("DELETE", `${at(id)}/messages/${part(messageId)}/feedback`, options);
  }
  /** The conversation starts anew: its messages are gone for people and the model. */
  clear(id: string, options?: CallOptions): Promise<void> {
    return this.http.json("DELETE", `${at(id)}/messages`, options);
  }
  /** Stops the run; the event `run.cancelled` tells when. A run that waits is taken out of the queue. */
  cancel(id: string, runId?: string, options?: CallOptions): Promise<{ sessionId: string; status: string }> {
    return this.http.json("POST", `${at(id)}/cancel`, { ...options, body: runId ? { runId } : {} });
  }

  /** A page of the log. */
  events(id: string, query?: PageQuery & { after?: number }, options?: CallOptions): Promise<Page<LogEvent>> {
    return this.http.page(`${at(id)}/events`, query, options);
  }
  /** The log from `after` on and then what happens, until the connection ends: no reconnect. See `client.session` for that. */
  stream(id: string, after?: number, options?: CallOptions): AsyncGenerator<StreamedEvent> {
    return this.http.events("GET", `${at(id)}/events`, { ...options, ...(after === undefined ? {} : { query: { after } }) });
  }

  queue(id: string, query?: PageQuery, options?: CallOptions): Promise<Page<QueuedMessage>> {
    return this.http.page(`${at(id)}/queue`, query, options);
  }
  /** `position` counts from 1. */
  editQueued(id: string, messageId: string, changes: { content?: string; position?: number }, options?: CallOptions): Promise<QueuedMessage> {
    return this.http.json("PATCH", `${at(id)}/queue/${part(messageId)}`, { ...options, body: changes });
  }
  deleteQueued(id: string, messageId: string, options?: CallOptions): Promise<{ messageId: string; status: string }> {
    return this.http.json("DELETE", `${at(id)}/queue/${part(messageId)}`, options);
  }

  files(id: string, query?: PageQuery, options?: CallOptions): Promise<Page<FileRecord>> {
    return this.http.page(`${at(id)}/files`, query, options);
  }
  /** A `File` brings its name; for a `Blob` or bytes give one. */
  upload(id: string, data: Blob | ArrayBuffer | Uint8Array | string, name?: string, options?: CallOptions): Promise<StoredFile> {
    const called = name ?? (typeof File !== "undefined" && data instanceof File ? data.name : "file");
    const type = (data instanceof Blob && data.type) || (typeof data === "string" ? "text/plain" : "application/octet-stream");
    const bytes = data instanceof Blob ? data : new Blob([data as BlobPart], { type });
    // A form's type would be read as a form.
    const headers = { "content-type": type.startsWith("multipart/") ? "application/octet-stream" : type };
    return this.http.json("POST", `${at(id)}/files`, { ...options, query: { name: called }, raw: bytes, headers });
  }
  async download(id: string, fileId: string, options?: CallOptions): Promise<Blob> {
    const response = await this.http.response("GET", `${at(id)}/files/${part(fileId)}`, { ...options, headers: { accept: "*/*" } });
    return response.blob();
  }

  toolCalls(id: string, query?: PageQuery, options?: CallOptions): Promise<Page<ToolCallRecord>> {
    return this.http.page(`${at(id)}/tool-calls`, query, options);
  }
  /** A part of a long output; offsets are in bytes, and characters are whole. */
  toolOutput(id: string, toolCallId: string, query?: PageQuery, options?: CallOptions): Promise<ToolOutputPart> {
    return this.http.json("GET", `${at(id)}/tool-calls/${part(toolCallId)}/output`, { ...options, ...(query ? { query } : {}) });
  }
}

export interface ChatRequest {
  message: string;
  sessionId?: string;
  attachments?: string[];
  metadata?: Record<string, unknown>;
}

export class Chat {
  constructor(private readonly http: Http) {}
  /** The whole answer in one call; without `sessionId` in a new session. */
  send(projectId: string, agentId: string, request: ChatRequest, options?: WriteOptions): Promise<ChatReply> {
    return this.http.json("POST", `${api}/projects/${part(projectId)}/agents/${part(agentId)}/chat`, { ...options, body: request });
  }
  /** The events of the run, to its end. */
  stream(projectId: string, agentId: string, request: ChatRequest, options?: WriteOptions): AsyncGenerator<StreamedEvent> {
    return this.http.events("POST", `${api}/projects/${part(projectId)}/agents/${part(agentId)}/chat`, { ...options, body: request });
  }
}
