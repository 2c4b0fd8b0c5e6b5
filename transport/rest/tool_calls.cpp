// What the tools of a session did over REST: calls, long outputs in parts, the sessions of sub-agents.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::int64_t usual_part = 16'384;
constexpr std::int64_t longest_part = 262'144;
constexpr std::int64_t last_offset = std::int64_t{1} << 40;

/// The items of `all` that `w` shows, as a list.
template <class T, class F>
void answer_part(const rest_call_ptr& call, const std::vector<T>& all, core::window w, F as_json) {
  json::array items;
  auto size = static_cast<std::int64_t>(all.size());
  for (auto i = w.offset; i < size && i - w.offset < w.limit; ++i) items.push_back(as_json(all[static_cast<std::size_t>(i)]));
  call->answer(200, list_of(std::move(items), size, w));
}

}  // namespace

/// GET /sessions/{id}/tool-calls
void get_tool_calls(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  call->find_session([call, w = *w](const core::session_record& s) {
    using calls = std::vector<core::tool_call_record>;
    call->ask<calls>(core::list_tool_calls{s.id}, [call, w](const calls& all) { answer_part(call, all, w, tool_call_json); });
  });
}

/// GET /sessions/{id}/tool-calls/{callId}/output?offset=&limit=, both in bytes
void get_tool_output(const rest_call_ptr& call) {
  auto offset = call->number("offset", 0, 0, last_offset);
  if (!offset) return;
  auto limit = call->number("limit", usual_part, 4, longest_part);
  if (!limit) return;
  call->find_session([call, offset = *offset, limit = *limit](const core::session_record& s) {
    auto id = call->parameter("callId");
    core::get_tool_output question{s.id, {id}, offset, limit};
    call->find<core::tool_output_part>(
        std::move(question), "Output of tool call", id.substr(0, 64), [call](const core::tool_output_part& part) {
          auto next = part.offset + static_cast<std::int64_t>(part.text.size());
          call->answer(200, json::object{{"toolCallId", call->parameter("callId")},
                                         {"text", part.text},
                                         {"offset", part.offset},
                                         {"total", part.total},
                                         {"nextOffset", next < part.total ? json::value(next) : json::value(nullptr)}});
        });
  });
}

void answer_children(const rest_call_ptr& call, core::session_id parent, core::window w) {
  using sessions = std::vector<core::session_record>;
  call->ask<sessions>(core::list_children{parent}, [call, w](sessions all) {
    std::erase_if(all, [&](const auto& s) { return !core::may_see(call->principal(), s); });
    answer_part(call, all, w, session_json);
  });
}

/// GET /sessions/{id}/children
void get_children(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  call->find_session([call, w = *w](const core::session_record& s) { answer_children(call, s.id, w); });
}

}  // namespace troupe::transport
