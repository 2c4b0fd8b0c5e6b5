// Tools whose calls do what a test says, when it says so; and models that ask for them. For tests of calls in a world
// (actors_world.hpp), on its thread.
#pragma once

#include "actors_world.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace troupe::test {

/// What came to the scripted tools of a test. Outlives them and every restart.
struct tool_desk {
  struct call {
    std::string tool;
    tools::tool_context context;
    boost::json::object arguments;
    std::shared_ptr<tools::call_listener> listener;  ///< null once it was given up
    std::vector<tools::answer> answers;
    bool is_given_up = false;

    void done(std::string output, bool ok = true, std::vector<tools::tool_file> files = {}) const {
      REQUIRE(listener);
      listener->done({ok, std::move(output), std::move(files)});
    }
  };
  std::vector<std::shared_ptr<call>> calls;

  [[nodiscard]] call& last() const {
    REQUIRE_FALSE(calls.empty());
    return *calls.back();
  }
};

/// Mode `streaming`: a call goes on until the test ends it.
class desk_tool final : public tools::tool {
 public:
  desk_tool(tools::tool_spec spec, std::shared_ptr<tool_desk> desk) : tool(std::move(spec)), desk_(std::move(desk)) {}

  [[nodiscard]] std::unique_ptr<tools::running_call> start(const tools::tool_context& context,
                                                           const boost::json::object& arguments,
                                                           std::shared_ptr<tools::call_listener> listener) const override {
    auto made = std::make_shared<tool_desk::call>();
    made->tool = spec().name;
    made->context = context;
    made->arguments = arguments;
    made->listener = std::move(listener);
    desk_->calls.push_back(made);
    return std::make_unique<running>(std::move(made));
  }

 private:
  class running final : public tools::running_call {
   public:
    explicit running(std::shared_ptr<tool_desk::call> c) : call_(std::move(c)) {}
    ~running() override {
      call_->is_given_up = true;
      call_->listener = nullptr;
    }
    void answer(tools::answer a) override { call_->answers.push_back(std::move(a)); }

   private:
    std::shared_ptr<tool_desk::call> call_;
  };

  std::shared_ptr<tool_desk> desk_;
};

inline tools::tool_spec desk_spec(std::string name, core::effect effect = core::effect::idempotent) {
  tools::tool_spec spec;
  spec.name = std::move(name);
  spec.parameters =
      R"({"type":"object","properties":{"path":{"type":"string"},"n":{"type":"number"}},"additionalProperties":false})";
  spec.effect = effect;
  spec.source = "bench";
  spec.mode = tools::tool_mode::streaming;
  return spec;
}
inline std::unique_ptr<tools::tool> desk_tool_named(const std::shared_ptr<tool_desk>& desk, std::string name,
                                                    core::effect effect = core::effect::idempotent) {
  return std::make_unique<desk_tool>(desk_spec(std::move(name), effect), desk);
}

/// Tools that come and go with a source that may still be starting.
class desk_source final : public tools::tool_source {
 public:
  explicit desk_source(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  [[nodiscard]] std::vector<tools::tool_ptr> tools() const override { return tools_; }
  void when_ready(std::function<void()> f) override { is_ready_ ? f() : waiting_.push_back(std::move(f)); }
  [[nodiscard]] std::string status() const override { return is_ready_ ? "ready" : "starting"; }

  void set(std::vector<std::shared_ptr<tools::tool>> tools) {
    tools_.clear();
    for (auto& t : tools) {
      REQUIRE(t->prepare().has_value());
      tools_.push_back(std::move(t));
    }
  }
  void be_ready() {
    is_ready_ = true;
    for (auto& f : std::exchange(waiting_, {})) f();
  }
  /// A new process: it starts anew.
  void start_again() {
    is_ready_ = false;
    waiting_.clear();
  }

 private:
  std::string name_;
  std::vector<tools::tool_ptr> tools_;
  std::vector<std::function<void()>> waiting_;
  bool is_ready_ = false;
};

inline core::tool_call call_of(std::string id, std::string tool, std::string arguments = "{}") {
  return {{std::move(id)}, std::move(tool), std::move(arguments)};
}

/// Asks for `calls`, and after their results says "Done.".
inline void ask_for(world& w, std::vector<core::tool_call> calls) {
  w.model->answer = [calls = std::move(calls)](const providers::model_request& r) {
    return r.history->back().role == core::role::tool ? heard_model::says("Done.") : heard_model::says("", calls);
  };
}

/// The results that the model read last, in the order it got them.
inline std::vector<core::history_message> results_of(const world& w) {
  REQUIRE_FALSE(w.model->asked.empty());
  std::vector<core::history_message> out;
  for (const auto& m : *w.model->asked.back().history)
    if (m.role == core::role::tool) out.push_back(m);
  return out;
}

inline core::approval_requested only_question(world& w, const core::session_id& id) {
  auto asked = w.all<core::approval_requested>(id);
  REQUIRE(asked.size() == 1);
  return asked.front();
}
inline core::decide_approval approve(const core::approval_id& id) {
  core::decide_approval out;
  out.approval = id;
  out.approved = true;
  return out;
}
inline core::decide_approval deny(const core::approval_id& id) {
  core::decide_approval out;
  out.approval = id;
  return out;
}
/// What came of the last run: empty while it goes on.
inline std::string end_of_run(world& w, const core::session_id& id) {
  std::string out;
  for (const auto& e : w.log(id)) {
    if (e.as<core::run_started>()) out.clear();
    if (e.as<core::run_completed>()) out = "completed";
    if (e.as<core::run_cancelled>()) out = "cancelled";
    if (const auto* failed = e.as<core::run_failed>()) out = "failed: " + failed->text;
  }
  return out;
}

}  // namespace troupe::test
