// Clients of the `chat-events` dialect: they talk over REST and listen on Socket.IO; and what their screens show.
import assert from "node:assert/strict";
import { post } from "./clients.mjs";
import { SocketIoClient } from "./socketio.mjs";

export const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
export const uuid = (chatId) => new RegExp(`^${chatId.slice(0, 8)}-${chatId.slice(8, 12)}-${chatId.slice(12, 16)}-${chatId.slice(16, 20)}-${chatId.slice(20)}`);

export async function newChat(server, userId = "ana", headers = {}) {
  const made = await post(server, "/api/v1/chats", { userId }, headers);
  assert.equal(made.status, 201, made.text);
  return made.body.id;
}
export const say = (server, chatId, content, more = {}, headers = {}) =>
  post(server, `/api/v1/chats/${chatId}/messages`, { content, ...more }, headers);
export const listen = (server, options) => SocketIoClient.open(server, "/", options);

/** What a screen shows of one chat: clients clear it at a start and append blindly. */
export function screen(frames, chatId) {
  const shown = { text: "", starts: 0, ends: 0, errors: 0, answers: [] };
  for (const frame of frames) {
    if (frame.chatId !== chatId) continue;
    if (frame.type === "ai-response-start") [shown.text, shown.starts] = ["", shown.starts + 1];
    if (frame.type === "ai-response-chunk") {
      assert.ok(frame.chunk.length > 0);
      shown.text += frame.chunk;
    }
    if (frame.type === "error") ++shown.errors;
    if (frame.type === "ai-response-end") {
      ++shown.ends;
      assert.equal(frame.message.answer, shown.text);
      assert.equal(frame.totalCharacters, shown.text.length);
      assert.equal(frame.completedSuccessfully, true);
      shown.answers.push(shown.text);
    }
  }
  return shown;
}
export const names = (frames, chatId) =>
  frames.filter((f) => f.chatId === chatId).map((f) => f.type).filter((type, i, all) => type !== all[i - 1]);
export const ended = (chatId) => (frame) => frame.chatId === chatId && frame.type === "ai-response-end";
export const failed = (chatId) => (frame) => frame.chatId === chatId && frame.type === "error";
export const chunks = (client, chatId) => client.all((f) => f.type === "ai-response-chunk" && f.chatId === chatId);
