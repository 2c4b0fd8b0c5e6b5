// What the tests of `command` and `program` share: a tool that runs, and what its call's listener heard.
#pragma once

#include "tools_process_test.hpp"

#include "tools/text.hpp"
#include "tools/tool.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace process_test {

struct heard : tools::call_listener {
  void progress(std::string text) override {
    CHECK_FALSE(result);
    CHECK(tools::is_plain_text(text));
    ++pieces;
    shown += text;
  }
  void ask(tools::question) override { FAIL("nobody asks"); }
  void done(tools::tool_result r) override {
    CHECK_FALSE(result);
    CHECK(tools::is_plain_text(r.output));
    result = std::move(r);
  }

  std::string shown;
  int pieces = 0;
  std::optional<tools::tool_result> result;
};

/// A call of `t` in the workspace of `w`, with arguments that fit its schema.
struct call {
  call(world& w, const tools::tool& t, const boost::json::object& arguments) : w_(w) {
    auto checked = t.check(boost::json::serialize(arguments));
    if (!checked) FAIL(checked.error().text);
    tools::tool_context context;
    context.session = core::session_id{{1, 2}};
    context.call = core::tool_call_id{"call_1"};
    context.idempotency_key = "key-1";
    context.workspace = w.folder / "space";
    running = t.start(context, *checked, listener);
  }
  tools::tool_result& result() {
    if (!w_.until([&] { return listener->result.has_value(); })) FAIL("no result; shown: " << listener->shown);
    return *listener->result;
  }
  bool shows(std::string_view text) {
    return w_.until([&] { return listener->shown.find(text) != std::string::npos; });
  }

  world& w_;
  std::shared_ptr<heard> listener = std::make_shared<heard>();
  std::unique_ptr<tools::running_call> running;
};

}  // namespace process_test
