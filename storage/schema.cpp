#include "storage/schema.hpp"

#include <array>

namespace troupe::storage {

namespace {

// Ids are text so that a person can follow them with the sqlite3 shell. `log` alone names its session by number (the view
// `events` translates): with text it was half as fast, because its index is what every commit touches most. Tables whose
// rows many sessions write in turn are in order of arrival, with a small index by session: a commit then changes few pages.
// Foreign keys only where a row cannot be understood alone; every one costs a lookup per insert.
constexpr const char* version_1 = R"sql(
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('created_at', strftime('%Y-%m-%dT%H:%M:%SZ', 'now'));

CREATE TABLE agents (
  project          TEXT NOT NULL,
  id               TEXT NOT NULL,
  provider         TEXT NOT NULL,
  model            TEXT NOT NULL,
  config_hash      TEXT NOT NULL,
  first_seen_at_ms INTEGER NOT NULL,
  last_seen_at_ms  INTEGER NOT NULL,
  PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  n                    INTEGER PRIMARY KEY,
  id                   TEXT NOT NULL UNIQUE,
  project              TEXT NOT NULL,
  agent                TEXT NOT NULL,
  dialect              TEXT NOT NULL,
  alias                TEXT NOT NULL,
  owner                TEXT NOT NULL,
  title                TEXT NOT NULL,
  status               TEXT NOT NULL,
  metadata             TEXT NOT NULL,
  created_at_ms        INTEGER,
  updated_at_ms        INTEGER,
  last_seq             INTEGER NOT NULL,
  reserved_seq         INTEGER NOT NULL,
  message_rows         INTEGER NOT NULL,
  message_count        INTEGER NOT NULL,
  prompt_tokens        INTEGER NOT NULL,
  cached_prompt_tokens INTEGER NOT NULL,
  completion_tokens    INTEGER NOT NULL,
  cost_micro_usd       INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_update ON sessions (project, updated_at_ms);

CREATE TABLE runs (
  n                    INTEGER PRIMARY KEY,
  id                   TEXT NOT NULL UNIQUE,
  session              TEXT NOT NULL REFERENCES sessions (id),
  project              TEXT NOT NULL,
  agent                TEXT NOT NULL,
  provider             TEXT NOT NULL,
  model                TEXT NOT NULL,
  config_hash          TEXT NOT NULL,
  message              TEXT,
  trace                TEXT,
  status               TEXT NOT NULL,
  steps                INTEGER NOT NULL,
  error_code           TEXT NOT NULL,
  error_text           TEXT NOT NULL,
  queued_at_ms         INTEGER,
  started_at_ms        INTEGER,
  ended_at_ms          INTEGER,
  first_seq            INTEGER NOT NULL,
  started_seq          INTEGER NOT NULL,
  ended_seq            INTEGER NOT NULL,
  prompt_tokens        INTEGER NOT NULL,
  cached_prompt_tokens INTEGER NOT NULL,
  completion_tokens    INTEGER NOT NULL,
  cost_micro_usd       INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_by_session ON runs (session);
CREATE INDEX runs_by_project ON runs (project);
CREATE INDEX runs_by_trace ON runs (trace);
CREATE INDEX runs_in_flight ON runs (session) WHERE status IN ('queued', 'running', 'parked');

CREATE TABLE messages (
  session           TEXT NOT NULL REFERENCES sessions (id),
  number            INTEGER NOT NULL,
  id                TEXT,
  run               TEXT,
  role              TEXT NOT NULL,
  content           TEXT NOT NULL,
  author            TEXT NOT NULL,
  client_message_id TEXT NOT NULL,
  calls             TEXT NOT NULL,
  cut               INTEGER NOT NULL,
  removed           INTEGER NOT NULL,
  seq               INTEGER NOT NULL,
  created_at_ms     INTEGER
) STRICT;
CREATE UNIQUE INDEX messages_by_session ON messages (session, number);
CREATE INDEX messages_by_client_id ON messages (session, client_message_id) WHERE client_message_id <> '';

CREATE TABLE tool_calls (
  run           TEXT NOT NULL REFERENCES runs (id),
  seq           INTEGER NOT NULL,
  id            TEXT NOT NULL,
  session       TEXT NOT NULL,
  tool          TEXT NOT NULL,
  input         TEXT NOT NULL,
  ok            INTEGER,
  output        TEXT NOT NULL,
  effect        TEXT NOT NULL,
  ms            INTEGER NOT NULL,
  started_at_ms INTEGER,
  ended_at_ms   INTEGER,
  PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE approvals (
  id            TEXT PRIMARY KEY,
  project       TEXT NOT NULL,
  agent         TEXT NOT NULL,
  session       TEXT NOT NULL,
  run           TEXT NOT NULL REFERENCES runs (id),
  call          TEXT NOT NULL,
  tool          TEXT NOT NULL,
  action        TEXT NOT NULL,
  kind          TEXT NOT NULL,
  risk          TEXT NOT NULL,
  decision      TEXT,
  decided_by    TEXT NOT NULL,
  note          TEXT NOT NULL,
  created_at_ms INTEGER,
  expires_at_ms INTEGER,
  decided_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_by_run ON approvals (run);
CREATE INDEX approvals_by_session ON approvals (session, created_at_ms);
CREATE INDEX approvals_by_project ON approvals (project, created_at_ms);
CREATE INDEX approvals_pending ON approvals (created_at_ms) WHERE decision IS NULL;

CREATE TABLE usage (
  run                  TEXT NOT NULL REFERENCES runs (id),
  seq                  INTEGER NOT NULL,
  session              TEXT NOT NULL,
  project              TEXT NOT NULL,
  agent                TEXT NOT NULL,
  step                 INTEGER NOT NULL,
  provider             TEXT NOT NULL,
  model                TEXT NOT NULL,
  prompt_tokens        INTEGER NOT NULL,
  cached_prompt_tokens INTEGER NOT NULL,
  completion_tokens    INTEGER NOT NULL,
  cost_micro_usd       INTEGER NOT NULL,
  estimated            INTEGER NOT NULL,
  attempts             INTEGER NOT NULL,
  started_at_ms        INTEGER,
  first_delta_at_ms    INTEGER,
  at_ms                INTEGER,
  PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_days (
  project        TEXT NOT NULL,
  day            TEXT NOT NULL,
  cost_micro_usd INTEGER NOT NULL,
  tokens         INTEGER NOT NULL,
  requests       INTEGER NOT NULL,
  PRIMARY KEY (project, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
  n         INTEGER PRIMARY KEY,
  session   INTEGER NOT NULL REFERENCES sessions (n),
  first_seq INTEGER NOT NULL,
  last_seq  INTEGER NOT NULL,
  at_ms     INTEGER,
  kind      TEXT NOT NULL,
  payload   TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX log_by_session ON log (session, last_seq);
CREATE VIEW events AS
  SELECT s.id AS session, e.first_seq, e.last_seq, e.at_ms, e.kind, e.payload FROM log e JOIN sessions s ON s.n = e.session;

CREATE VIEW spans AS
  SELECT trace, session, id AS run, 'run' AS kind, agent AS name, status, started_at_ms, ended_at_ms,
         prompt_tokens, cached_prompt_tokens, completion_tokens, cost_micro_usd
    FROM runs WHERE started_at_ms IS NOT NULL
  UNION ALL
  SELECT trace, session, id, 'queue_wait', agent, 'ok', queued_at_ms, started_at_ms, 0, 0, 0, 0
    FROM runs WHERE started_at_ms IS NOT NULL AND first_seq < started_seq
  UNION ALL
  SELECT r.trace, r.session, r.id, 'model_call', u.provider || '/' || u.model, 'ok',
         coalesce(u.started_at_ms, u.at_ms), u.at_ms,
         u.prompt_tokens, u.cached_prompt_tokens, u.completion_tokens, u.cost_micro_usd
    FROM runs r JOIN usage u ON u.run = r.id
  UNION ALL
  SELECT r.trace, r.session, r.id, 'tool_call', t.tool,
         CASE WHEN t.ok IS NULL THEN 'open' WHEN t.ok THEN 'ok' ELSE 'failed' END,
         coalesce(t.started_at_ms, t.ended_at_ms), t.ended_at_ms, 0, 0, 0, 0
    FROM runs r JOIN tool_calls t ON t.run = r.id
  UNION ALL
  SELECT r.trace, r.session, r.id, 'approval_wait', a.tool, coalesce(a.decision, 'pending'),
         a.created_at_ms, a.decided_at_ms, 0, 0, 0, 0
    FROM runs r JOIN approvals a ON a.run = r.id;
)sql";

// Forks, clearing, reordering, names and files of messages, participants, reactions, files; usage by day also by agent.
// New columns of `runs` and `messages` are in no index, so that a message costs what it did.
constexpr const char* version_2 = R"sql(
ALTER TABLE sessions ADD COLUMN forked_from TEXT;
ALTER TABLE sessions ADD COLUMN forked_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN cleared_seq INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sessions_by_owner ON sessions (owner);

ALTER TABLE runs ADD COLUMN queue_position INTEGER;

ALTER TABLE messages ADD COLUMN author_name TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN attachments TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN options TEXT NOT NULL DEFAULT '';

CREATE TABLE participants (
  session TEXT NOT NULL REFERENCES sessions (id),
  user    TEXT NOT NULL,
  PRIMARY KEY (session, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX participants_by_user ON participants (user);

CREATE TABLE reactions (
  session     TEXT NOT NULL REFERENCES sessions (id),
  message     TEXT NOT NULL,
  emoji       TEXT NOT NULL,
  author      TEXT NOT NULL,
  author_name TEXT NOT NULL,
  seq         INTEGER NOT NULL,
  PRIMARY KEY (session, message, emoji, author)
) STRICT, WITHOUT ROWID;

CREATE TABLE files (
  n             INTEGER PRIMARY KEY,
  session       TEXT NOT NULL REFERENCES sessions (id),
  id            TEXT NOT NULL,
  name          TEXT NOT NULL,
  content_type  TEXT NOT NULL,
  size          INTEGER NOT NULL,
  added_by      TEXT NOT NULL,
  seq           INTEGER NOT NULL,
  created_at_ms INTEGER,
  data          BLOB NOT NULL,
  UNIQUE (session, id)
) STRICT;

CREATE TABLE usage_agent_days (
  project        TEXT NOT NULL,
  day            TEXT NOT NULL,
  agent          TEXT NOT NULL,
  cost_micro_usd INTEGER NOT NULL,
  tokens         INTEGER NOT NULL,
  requests       INTEGER NOT NULL,
  PRIMARY KEY (project, day, agent)
) STRICT, WITHOUT ROWID;
INSERT INTO usage_agent_days
  SELECT project, strftime('%Y-%m-%d', coalesce(at_ms, 0) / 1000, 'unixepoch'), agent,
         sum(cost_micro_usd), sum(prompt_tokens + completion_tokens), count(*)
    FROM usage GROUP BY 1, 2, 3;
DROP TABLE usage_days;
CREATE VIEW usage_days AS
  SELECT project, day, sum(cost_micro_usd) AS cost_micro_usd, sum(tokens) AS tokens, sum(requests) AS requests
    FROM usage_agent_days GROUP BY project, day;
)sql";

// Sub-agents, long outputs, remembered approvals, and what people say of an approval. The inbox has what waits first: the
// same expression in queries as in its indexes. A long output is found by the call it belongs to, the latest of that id.
constexpr const char* version_3 = R"sql(
ALTER TABLE sessions ADD COLUMN parent TEXT;
ALTER TABLE sessions ADD COLUMN parent_call TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sessions_by_parent ON sessions (parent) WHERE parent IS NOT NULL;

ALTER TABLE tool_calls ADD COLUMN output_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tool_calls ADD COLUMN child TEXT;
ALTER TABLE tool_calls ADD COLUMN cost_micro_usd INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tool_calls ADD COLUMN allowed_by TEXT;

CREATE TABLE tool_outputs (
  n       INTEGER PRIMARY KEY,
  session TEXT NOT NULL REFERENCES sessions (id),
  run     TEXT NOT NULL,
  call    TEXT NOT NULL,
  seq     INTEGER NOT NULL,
  data    BLOB NOT NULL,
  UNIQUE (session, call, seq)
) STRICT;

ALTER TABLE approvals ADD COLUMN edited_input TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN choice TEXT NOT NULL DEFAULT 'none';
ALTER TABLE approvals ADD COLUMN answer TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN arguments_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN prompt TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN schema TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN deciders INTEGER NOT NULL DEFAULT 1;
ALTER TABLE approvals ADD COLUMN endorsed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN not_by TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN origin TEXT;
ALTER TABLE approvals ADD COLUMN origin_approval TEXT;
UPDATE approvals SET edited_input = d.edited_input
  FROM (SELECT approval, edited_input, at_ms, min(n)
          FROM (SELECT n, at_ms, json_extract(text, '$.approval') AS approval, json_extract(text, '$.edited_input') AS edited_input
                  FROM (SELECT n, at_ms, CASE WHEN json_valid(payload) THEN payload END AS text
                          FROM log WHERE kind = 'approval_decided'))
         GROUP BY approval) d
 WHERE d.approval = approvals.id AND d.at_ms = approvals.decided_at_ms AND d.edited_input IS NOT NULL;
DROP INDEX approvals_pending;
DROP INDEX approvals_by_project;
CREATE INDEX approvals_inbox ON approvals ((decision IS NOT NULL), created_at_ms DESC, id DESC);
CREATE INDEX approvals_by_project ON approvals (project, (decision IS NOT NULL), created_at_ms DESC, id DESC);

CREATE TABLE grants (
  id            TEXT PRIMARY KEY,
  scope         TEXT NOT NULL,
  tool          TEXT NOT NULL,
  conditions    TEXT NOT NULL,
  expires_at_ms INTEGER,
  given_by      TEXT NOT NULL,
  approval      TEXT,
  project       TEXT NOT NULL,
  agent         TEXT NOT NULL,
  session       TEXT NOT NULL REFERENCES sessions (id),
  created_at_ms INTEGER,
  revoked_at_ms INTEGER,
  revoked_by    TEXT NOT NULL,
  seq           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX grants_by_project ON grants (project, created_at_ms);
CREATE INDEX grants_by_session ON grants (session);
CREATE INDEX grants_not_revoked ON grants (created_at_ms) WHERE revoked_at_ms IS NULL;

DROP VIEW spans;
CREATE VIEW spans AS
  SELECT trace, session, id AS run, 'run' AS kind, agent AS name, status, started_at_ms, ended_at_ms,
         prompt_tokens, cached_prompt_tokens, completion_tokens, cost_micro_usd
    FROM runs WHERE started_at_ms IS NOT NULL
  UNION ALL
  SELECT trace, session, id, 'queue_wait', agent, 'ok', queued_at_ms, started_at_ms, 0, 0, 0, 0
    FROM runs WHERE started_at_ms IS NOT NULL AND first_seq < started_seq
  UNION ALL
  SELECT r.trace, r.session, r.id, 'model_call', u.provider || '/' || u.model, 'ok',
         coalesce(u.started_at_ms, u.at_ms), u.at_ms,
         u.prompt_tokens, u.cached_prompt_tokens, u.completion_tokens, u.cost_micro_usd
    FROM runs r JOIN usage u ON u.run = r.id
  UNION ALL
  SELECT r.trace, r.session, r.id, 'tool_call', t.tool,
         CASE WHEN t.ok IS NULL THEN 'open' WHEN t.ok THEN 'ok' ELSE 'failed' END,
         coalesce(t.started_at_ms, t.ended_at_ms), t.ended_at_ms, 0, 0, 0, t.cost_micro_usd
    FROM runs r JOIN tool_calls t ON t.run = r.id
  UNION ALL
  SELECT r.trace, r.session, r.id, 'approval_wait', a.tool, coalesce(a.decision, 'pending'),
         a.created_at_ms, a.decided_at_ms, 0, 0, 0, 0
    FROM runs r JOIN approvals a ON a.run = r.id;
)sql";

// What people think of answers; alerts of budgets as a list. An alert follows the usage that it is about, of which its agent
// is known. Versions of agents that are made over REST; long definitions are last, so that the other columns are read without.
// Runs of a project in the order in which they began, which is not that of their rows: some wait in a queue first.
constexpr const char* version_4 = R"sql(
CREATE TABLE feedback (
  session TEXT NOT NULL REFERENCES sessions (id),
  message TEXT NOT NULL,
  author  TEXT NOT NULL,
  rating  TEXT NOT NULL,
  note    TEXT NOT NULL,
  seq     INTEGER NOT NULL,
  at_ms   INTEGER,
  PRIMARY KEY (session, message, author)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
  n                INTEGER PRIMARY KEY,
  session          TEXT NOT NULL REFERENCES sessions (id),
  seq              INTEGER NOT NULL,
  project          TEXT NOT NULL,
  scope            TEXT NOT NULL,
  subject          TEXT NOT NULL,
  percent          INTEGER NOT NULL,
  spend_micro_usd  INTEGER NOT NULL,
  budget_micro_usd INTEGER NOT NULL,
  at_ms            INTEGER,
  UNIQUE (session, seq)
) STRICT;
CREATE INDEX alerts_by_project ON alerts (project);
INSERT INTO alerts (session, seq, project, scope, subject, percent, spend_micro_usd, budget_micro_usd, at_ms)
  WITH told AS MATERIALIZED (
         SELECT l.n, l.last_seq, l.at_ms, l.payload AS text, s.id, s.project, s.owner, s.agent,
                coalesce(json_extract(l.payload, '$.scope'), '') AS scope
           FROM log l JOIN sessions s ON s.n = l.session WHERE l.kind = 'cost_alert' AND json_valid(l.payload)),
       -- The bill before each of them, in one walk over the bills: the greatest seq so far, with its agent behind it.
       billed AS MATERIALIZED (
         SELECT n, bill FROM (
           SELECT n, max(bill) OVER (PARTITION BY session ORDER BY seq) AS bill FROM (
             SELECT NULL AS n, session, seq, printf('%020d', seq) || agent AS bill FROM usage
              WHERE session IN (SELECT id FROM told)
             UNION ALL SELECT n, id, last_seq, NULL FROM told))
          WHERE n IS NOT NULL)
  SELECT a.id, a.last_seq, a.project, a.scope,
         CASE a.scope WHEN 'session' THEN a.id WHEN 'project' THEN a.project WHEN 'user' THEN a.owner
         ELSE coalesce(substr(b.bill, 21), a.agent) END,
         coalesce(json_extract(a.text, '$.percent'), 0), coalesce(json_extract(a.text, '$.spend'), 0),
         coalesce(json_extract(a.text, '$.budget'), 0), a.at_ms
    FROM told a JOIN billed b ON b.n = a.n ORDER BY a.n;

CREATE TABLE agent_versions (
  n             INTEGER PRIMARY KEY,
  project       TEXT NOT NULL,
  id            TEXT NOT NULL,
  version       INTEGER NOT NULL,
  deleted       INTEGER NOT NULL,
  hash          TEXT NOT NULL,
  note          TEXT NOT NULL,
  created_by    TEXT NOT NULL,
  created_at_ms INTEGER,
  definition    TEXT NOT NULL,
  UNIQUE (project, id, version)
) STRICT;

DROP INDEX runs_by_project;
CREATE INDEX runs_by_project ON runs (project, started_at_ms);
)sql";

// Bills by their time, which is what every sum of them is asked by. The same expression in queries as in the index.
constexpr const char* version_5 = R"sql(
CREATE INDEX usage_by_time ON usage (project, coalesce(at_ms, 0));
)sql";

// Step i brings version i to i + 1. A released step is never changed: add another.
constexpr std::array<const char*, schema_version> steps{version_1, version_2, version_3, version_4, version_5};

}  // namespace

int version_of(connection& c) { return c.database().execAndGet("PRAGMA user_version").getInt(); }

void migrate(connection& c, int upto) {
  auto& db = c.database();
  if (version_of(c) >= upto) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    for (auto v = static_cast<std::size_t>(version_of(c)); v < static_cast<std::size_t>(upto); ++v) db.exec(steps[v]);
    db.exec("PRAGMA user_version = " + std::to_string(upto));
    db.exec("COMMIT");
  } catch (...) {
    c.roll_back();
    throw;
  }
}

}  // namespace troupe::storage
