#include "transport/rest/home_page.hpp"

namespace troupe::transport {

namespace {

// `@NAME@` is filled in by home_page(); everything filled in is escaped there.
constexpr std::string_view document = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Troupe</title>
<link rel="icon" href="data:,">
<style nonce="@NONCE@">
:root { color-scheme: light dark; --edge: #8886; --soft: #8881; --mark: #2563eb; --bad: #b91c1c; }
@media (prefers-color-scheme: dark) { :root { --mark: #7aa5ff; --bad: #ff8a8a; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem; }
h1 { margin: 0; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
#log { min-height: 8rem; max-height: 60vh; overflow-y: auto; border: 1px solid var(--edge); border-radius: .5rem; padding: .75rem; }
#log > * { margin: 0 0 .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.user { border-left: 3px solid var(--mark); padding-left: .6rem; }
.note { font-size: .9rem; opacity: .8; } .bad { color: var(--bad); opacity: 1; }
.card { border: 1px solid var(--edge); border-radius: .5rem; background: var(--soft); padding: .5rem .75rem; }
.card pre { margin: .3rem 0; max-height: 12rem; overflow: auto; white-space: pre-wrap; font-size: .85rem; }
form { display: flex; gap: .5rem; margin: .6rem 0; align-items: end; }
textarea { flex: 1; font: inherit; padding: .4rem; }
button { font: inherit; padding: .35rem .9rem; margin-right: .4rem; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 1px; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem; }
</style>
</head>
<body>
<header>
<h1>Troupe <small>@VERSION@</small></h1>
<p>A server that runs AI agents as actors. Every session is a log of events that survives a crash, and any number of
clients, on any of its protocols, can follow the same one. This program was built without its console (TROUPE_CONSOLE); this
page is a small one in its place.</p>
</header>
<main>
<h2 id="chat-title">Chat with @AGENT_NAME@</h2>
<div id="log" role="log" aria-live="polite" aria-labelledby="chat-title" tabindex="0"></div>
<form id="form">
<textarea id="text" rows="2" aria-label="Message" placeholder="Write a message; Enter sends it" required></textarea>
<button>Send</button><button id="stop" type="button" disabled>Stop</button>
</form>
<p class="note"><span id="state" role="status">connecting</span> · <span id="cost">$0.0000, 0 tokens</span></p>
<h2>Agents</h2>
<dl>@AGENTS@</dl>
<h2>Interfaces</h2>
<p>WebSocket <code>/ws</code> and <code>/ws/chat/{conversation_id}</code>, REST <code>/api/v1</code> and <code>/api</code>,
<a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>, <a href="/metrics">/metrics</a>.</p>
</main>
<noscript><p class="bad">The chat needs JavaScript; the interfaces above do not.</p></noscript>
<script nonce="@NONCE@" id="script" data-project="@PROJECT@" data-agent="@AGENT@">@SCRIPT@</script>
</body>
</html>
)html";

constexpr std::string_view script = R"js(
'use strict';
const at = (id) => document.getElementById(id);
const { project, agent } = at('script').dataset;
const log = at('log'), form = at('form'), text = at('text'), stop = at('stop');
let ws, session, lastSeq = 0, retryMs = 500, dollars = 0, tokens = 0;
let pieces = [], bubble = null;          // the assistant text being written, piece by piece
const unsent = new Map();                // clientMessageId -> content, until the server has it
const tools = new Map(), asks = new Map();

function add(kind, content) {
  const follow = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const node = document.createElement('div');
  node.className = kind;
  node.append(content || '');
  log.append(node);
  if (follow) log.scrollTop = log.scrollHeight;
  return node;
}
function pretty(value) { return typeof value === 'string' ? value : JSON.stringify(value, null, 2); }
function block(value) {
  const node = document.createElement('pre');
  node.textContent = pretty(value);
  return node;
}
function send(frame) { if (ws.readyState === WebSocket.OPEN) ws.send(JSON.stringify(frame)); }
function sendMessage(id) { send({ type: 'message.send', content: unsent.get(id), clientMessageId: id }); }
function state(words, isRunning) {
  at('state').textContent = words;
  if (isRunning !== undefined) stop.disabled = !isRunning;
}

function question(m) {
  if (m.kind === 'input') return m.message || m.tool + ' needs an answer.';
  if (m.kind === 'outcome_unknown') return 'The server stopped while ' + m.tool + ' ran. Was it carried out?';
  return 'May the agent run ' + m.tool + '?' + (m.requiredApprovals > 1 ? ' Two people must agree.' : '');
}
/** A field for each property of a flat schema; gives a function that reads them. */
function inputs(schema, into) {
  const readers = [];
  for (const [name, about] of Object.entries((schema && schema.properties) || {})) {
    const label = document.createElement('label');
    const field = document.createElement(about.enum ? 'select' : 'input');
    for (const word of about.enum || []) field.append(new Option(word, word));
    if (about.type === 'boolean') field.type = 'checkbox';
    if (about.type === 'number' || about.type === 'integer') field.type = 'number';
    label.append((about.title || name) + ' ', field);
    into.append(label, ' ');
    readers.push((out) => {
      if (field.type === 'checkbox') out[name] = field.checked;
      else if (field.value !== '') out[name] = field.type === 'number' ? Number(field.value) : field.value;
    });
  }
  return () => { const out = {}; for (const read of readers) read(out); return out; };
}

const on = {
  'session.created': (m) => { session = m.sessionId; },
  'message.created': (m) => { if (m.role === 'user') { unsent.delete(m.clientMessageId); add('user', m.content); } },
  'message.queued': (m) => { add('note', 'Waits in the queue, place ' + m.position + '.'); },
  'run.started': () => { bubble = null; pieces = []; state('working', true); },
  'message.content_delta': (m) => {
    const follow = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    bubble = bubble || add('assistant');
    const node = document.createTextNode(m.text);
    pieces.push({ seq: m.seq, node });
    bubble.append(node);
    if (follow) log.scrollTop = log.scrollHeight;
  },
  'message.superseded': (m) => {
    for (const p of pieces) if (p.seq >= m.fromSeq) p.node.remove();
    pieces = pieces.filter((p) => p.seq < m.fromSeq);
  },
  'message.tool_start': (m) => {
    bubble = null;
    const card = add('card', m.tool), status = document.createElement('span');
    status.textContent = ' · running';
    card.append(status, block(m.input));
    tools.set(m.toolCallId, { card, status });
  },
  'message.tool_complete': (m) => {
    const tool = tools.get(m.toolCallId);
    if (!tool) return;
    tool.status.textContent = (m.success ? ' · done in ' : ' · failed after ') + m.durationMs + ' ms';
    tool.status.classList.toggle('bad', !m.success);
    tool.card.append(block(m.output));
    tools.delete(m.toolCallId);
  },
  'message.tool_progress': (m) => {
    const tool = tools.get(m.toolCallId);
    if (!tool) return;
    if (!tool.live) tool.card.append(tool.live = block(''));
    tool.live.textContent = (tool.live.textContent + m.text).slice(-20000);
  },
  'message.approval_required': (m) => {
    if (asks.has(m.approvalId)) return;
    bubble = null;
    const card = add('card', question(m));
    const buttons = document.createElement('div');
    const choose = (label, decision) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = label;
      button.onclick = () => send({ type: 'approval.decide', approvalId: m.approvalId, ...decision() });
      buttons.append(button);
    };
    if (m.kind === 'outcome_unknown') {
      for (const [label, choice] of [['Run it again', 'retry'], ['It was done', 'done'], ['It failed', 'failed']])
        choose(label, () => ({ choice }));
    } else if (m.kind === 'input') {
      const fields = inputs(m.schema, buttons);
      choose('Answer', () => ({ answer: fields() }));
      choose('Decline', () => ({ approved: false }));
    } else {
      choose('Approve', () => ({ approved: true }));
      choose('Always in this chat', () => ({ approved: true, remember: true }));
      choose('Deny', () => ({ approved: false }));
    }
    card.append(block(m.action), buttons);
    log.scrollTop = log.scrollHeight;
    asks.set(m.approvalId, buttons);
    state('waits for your decision', true);
  },
  'approval.endorsed': (m) => {
    const buttons = asks.get(m.approvalId);
    if (buttons) buttons.prepend(m.endorsedBy.length + ' of ' + m.requiredApprovals + ' approvals. ');
  },
  'approval.decided': (m) => {
    const buttons = asks.get(m.approvalId);
    if (buttons) buttons.replaceChildren((m.choice || m.decision) + (m.resolvedBy ? ' by ' + m.resolvedBy : ''));
    state('working', true);
  },
  'message.complete': (m) => {
    dollars += m.usage.cost;
    tokens += m.usage.totalTokens;
    at('cost').textContent = '$' + dollars.toFixed(4) + ', ' + tokens + ' tokens';
    state('ready', false);
  },
  'run.cancelled': () => { add('note', 'Stopped.'); state('ready', false); },
  'session.cost_alert': (m) => {
    add('note', 'Spent ' + m.percent + ' % of the budget: $' + m.currentSpend.toFixed(2) + ' of $' + m.budget.toFixed(2) + '.');
  },
  'session.draining': () => { state('the server restarts'); },
  'error': (m) => { add('note bad', m.message); if (m.runId) state('ready', false); },
};

function connect() {
  ws = new WebSocket(location.origin.replace(/^http/, 'ws') + '/ws');
  ws.onopen = () => {
    const hello = { type: 'auth', projectId: project, agentId: agent };
    if (session) Object.assign(hello, { sessionId: session, afterSeq: lastSeq });
    send(hello);
    for (const id of unsent.keys()) sendMessage(id);
    retryMs = 500;
    state(stop.disabled ? 'ready' : 'working');
  };
  ws.onmessage = (event) => {
    const m = JSON.parse(event.data);
    if (m.seq) lastSeq = Math.max(lastSeq, m.seq);
    if (on[m.type]) on[m.type](m);
  };
  ws.onclose = () => {
    state('connection lost, trying again');
    setTimeout(connect, retryMs);
    retryMs = Math.min(retryMs * 2, 8000);
  };
}

form.onsubmit = (event) => {
  event.preventDefault();
  if (!text.value.trim()) return;
  const id = Date.now().toString(36) + Math.random().toString(36).slice(2);
  unsent.set(id, text.value);
  text.value = '';
  sendMessage(id);
};
text.onkeydown = (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
};
stop.onclick = () => send({ type: 'run.cancel' });
connect();
)js";

void replace_all(std::string& in, std::string_view name, std::string_view value) {
  for (auto at = in.find(name); at != std::string::npos; at = in.find(name, at + value.size()))
    in.replace(at, name.size(), value);
}

std::string agents_html(const core::config& config) {
  std::string out;
  for (const auto& [id, project] : config.projects)
    for (const auto& agent : config.agents_of(id)) {
      out += "<dt>" + escape_html(agent->name.empty() ? agent->id.str() : agent->name) + " <code>" + escape_html(id.str()) +
             "/" + escape_html(agent->id.str()) + "</code></dt><dd>" + escape_html(agent->description) + "</dd>";
    }
  return out;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '@':
        out += "&#64;";
        break;  // no value may become a placeholder
      default:
        out.push_back(c);
    }
  return out;
}

std::string home_page(const core::config& config, std::string_view version, std::string_view nonce) {
  auto agent = config.find_agent({}, {});
  std::string name = agent ? (agent->name.empty() ? agent->id.str() : agent->name) : "nobody: no default agent is configured";
  std::string out(document);
  replace_all(out, "@SCRIPT@", script);
  replace_all(out, "@NONCE@", nonce);
  replace_all(out, "@VERSION@", escape_html(version));
  replace_all(out, "@AGENT_NAME@", escape_html(name));
  replace_all(out, "@AGENTS@", agents_html(config));
  replace_all(out, "@PROJECT@", escape_html(agent ? agent->project.str() : ""));
  replace_all(out, "@AGENT@", escape_html(agent ? agent->id.str() : ""));
  return out;
}

std::vector<std::pair<std::string, std::string>> home_page_headers(std::string_view nonce) {
  auto source = "'nonce-" + std::string(nonce) + "'";
  return {{"Content-Security-Policy",
           "default-src 'none'; script-src " + source + "; style-src " + source +
               "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cache-Control", "no-store"}};
}

}  // namespace troupe::transport
