// Scenarios: what there is to play, and how it went.
#include "transport/rest/openapi_schemas.hpp"

namespace troupe::transport {

std::string_view openapi_scenario_schemas() noexcept {
  static constexpr std::string_view schemas = R"json({
"Scenario": {"record": {
  "file": "string its name, from the folder on", "description": "string", "tags": "string[]",
  "skip?": {"type": "object", "additionalProperties": "string", "description": "Why it is not played in a mode: `restart`, `crash`, `url`."},
  "problem?": "string why it is no scenario"}},
"Scenarios": {"record": {"folder": "string its last name", "items": "Scenario[]"}},

"ScenarioRequest": {"input": {
  "files?": {"type": "array", "items": "string", "minItems": 1, "maxItems": 5000, "description": "As the list names them; all of them where nothing is said."},
  "tags?": {"type": "array", "items": "string", "maxItems": 20, "description": "Only scenarios that have all of them."},
  "restartEveryStep?": "boolean stop and start everything after every step",
  "crashAt?": {"oneOf": [{"const": "every"}, {"type": "integer", "minimum": 1, "maximum": 100000}], "description": "Crash at this boundary of the journal, or at each in turn."}}},
"ScenarioRunSummary": {"record": {
  "id": "string", "status": "running|completed|cancelled|failed", "startedAt": "time", "endedAt": "time?", "total": "integer", "done": "integer",
  "passed": "integer", "failed": "integer", "skipped": "integer", "current": "string? the file that is played", "files": "string[]? as asked for",
  "tags": "string[]", "restartEveryStep": "boolean", "crashAt": {"oneOf": [{"const": "every"}, {"type": "integer"}, {"type": "null"}]},
  "problem": "string? why its status is failed"}},
"ScenarioRun": {"extends": "ScenarioRunSummary", "record": {"results": "ScenarioResult[] in the order in which they were played"}},
"ScenarioResult": {"record": {
  "file": "string", "verdict": "passed|failed|skipped", "seconds": "number", "events": "integer", "boundaries": "integer of the journal",
  "hash?": "string SHA-256 of the events", "text?": "string how it failed, or why it was skipped", "divergence?": "ScenarioDivergence"}},
"ScenarioDivergence": {"description": "Where what came differs from what was expected. Long values stand as text, cut.", "record": {
  "line": "integer of the file", "step": "integer from 1", "verb": "string what kind of step", "expected?": "any", "came?": "any null: nothing",
  "path?": "string of the first field that differs", "why?": "string",
  "before": {"type": "array", "description": "The last events that were as expected.", "items": {"record": {"line": "integer", "event": "any"}}},
  "expectedNext": {"type": "array", "items": {"record": {"line": "integer", "expect": "any"}}},
  "cameNext": "any[]", "boundary?": "integer where it crashed"}}
})json";
  return schemas;
}

}  // namespace troupe::transport
