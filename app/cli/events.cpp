// `events`: a session's log as its clients see it, and what is added to it while one looks on.
#include "app/cli/commands.hpp"
#include "app/cli/format.hpp"
#include "app/cli/live_events.hpp"
#include "app/cli/outcome.hpp"
#include "app/cli/safe_text.hpp"
#include "app/cli/terminal.hpp"
#include "app/scenario/rest_client.hpp"

#include <boost/json/serialize.hpp>

#include <poll.h>

#include <algorithm>
#include <array>

namespace troupe::app {

namespace json = boost::json;

namespace {

/// Columns from which on there is room to line the events up.
constexpr std::size_t wide = 60;

std::string line_of(json::object frame, bool as_json, const terminal& to) {
  if (as_json) return json::serialize(frame) + "\n";
  auto type = text_of(frame, "type");
  auto seq = text_of(frame, "seq");
  frame.erase("type");
  frame.erase("seq");
  seq.insert(0, seq.size() < 8 ? 8 - seq.size() : 0, ' ');
  if (to.width >= wide) type.resize(std::max<std::size_t>(type.size(), 26), ' ');
  auto used = seq.size() + type.size() + 2;
  auto room = to.is_output ? std::max(to.width, used + 1) - used : 0;
  return to.styled(style::dim, seq) + " " + to.styled(style::cyan, safe_line(type)) + " " +
         safe_line(json::serialize(frame), room) + "\n";
}

/// Until Ctrl-C, or until it can go on no more.
int follow(const events_options& options, const std::string& session, core::seq_t after) {
  interrupts ctrl_c;
  auto to = terminal::of_process();
  live_events live(options, session, after);
  bool was_lost = false;
  for (;;) {
    std::array<pollfd, 2> ready{{{live.fd(), POLLIN, 0}, {ctrl_c.fd(), POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), -1);
    if (ctrl_c.take()) return 0;
    for (auto& frame : live.take())
      if (!put(line_of(std::move(frame), options.json, to))) return 1;
    if (auto failure = live.failure()) return failed(*failure, options.json);
    if (live.is_lost() && !was_lost) complain("the connection is lost; trying again");
    was_lost = live.is_lost();
  }
}

}  // namespace

int show_events(const events_options& options) {
  auto server = remote_api::open(options);
  if (!server) return failed(server.error(), options.json);
  // The session's own id: the event stream begins in the middle of an answer only where it is known to exist.
  auto session = server->get("/sessions/" + percent_encoded(options.session));
  if (!session) return failed(session.error(), options.json);
  auto id = text_of(*session, "id");
  if (options.follow) return follow(options, id, static_cast<core::seq_t>(options.after));
  auto path = "/sessions/" + id + "/events";
  if (options.after != 0) add_query(path, "after", std::to_string(options.after));
  auto all = server->list(path, options.limit);
  if (!all) return failed(all.error(), options.json);
  auto to = terminal::of_process();
  for (auto& frame : all->items)
    if (!put(line_of(std::move(frame.get_object()), options.json, to))) return 1;
  auto shown = static_cast<std::int64_t>(all->items.size());
  if (shown < all->total && !options.json)
    put(to.styled(style::dim, amount(shown) + " of " + amount(all->total) + "; --limit shows more") + "\n");
  return 0;
}

}  // namespace troupe::app
