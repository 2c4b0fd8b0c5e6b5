// Attached files on their way to the model.
#include "actors_world.hpp"

using namespace troupe;
using namespace troupe::test;
using core::errc;

namespace {

core::send_message with(std::string text, std::vector<core::file_id> files) {
  return {std::move(text), {}, std::nullopt, std::move(files)};
}

struct with_files {
  world w{[](auto&, auto&, core::agent_config& agent) {
    agent.takes_images = true;
    agent.tools = {"list_files"};
  }};
  core::session_id id = w.opened(1);
  core::file_id image = add("a.png", "image/png", "PNG");
  core::file_id text = add("a.txt", "text/plain", "words");
  core::file_id sound = add("a.mp3", "audio/mpeg", "noise");

  core::file_id add(std::string name, std::string type, std::string data) {
    return w.must<core::file_stored>(id, {}, file(std::move(name), std::move(type), std::move(data))).file.file;
  }
};

}  // namespace

TEST_CASE("attachments: a message tells of its files, and the model gets those it can use") {
  with_files f;
  (void)f.w.must<core::message_accepted>(f.id, {}, with("look", {f.image, f.sound, f.text, f.image}));
  auto said = f.w.all<core::message_added>(f.id);
  REQUIRE(said.size() == 1);
  REQUIRE(said[0].attachments.size() == 3);  // the image once
  CHECK(said[0].attachments[0] == core::attachment{f.image, "a.png", "image/png", 3});
  REQUIRE(f.w.model->asked.size() == 1);
  const auto& request = f.w.model->asked[0];
  CHECK(request.takes_images);
  CHECK_FALSE(request.takes_files);
  CHECK(request.history->back().attachments == said[0].attachments);
  REQUIRE(request.files);
  CHECK(request.files->size() == 2);
  CHECK(request.files->count(f.sound) == 0);
  REQUIRE(request.files->count(f.image) == 1);
  CHECK(*request.files->at(f.image)->data == "PNG");
  CHECK(f.w.defects() == "");
}

TEST_CASE("attachments: later steps, later runs and runs after a restart see them too") {
  with_files f;
  f.w.model->answer = [](const providers::model_request& r) {
    if (r.history->back().role == core::role::user && r.history->size() == 1)
      return heard_model::says("", {{{"c"}, "list_files", "{}"}});
    return heard_model::says("ok");
  };
  (void)f.w.must<core::message_accepted>(f.id, {}, with("", {f.image}));
  REQUIRE(f.w.model->asked.size() == 2);
  CHECK(f.w.model->asked[0].files == f.w.model->asked[1].files);
  f.w.restart();
  (void)f.w.must<core::message_accepted>(f.id, {}, say("again"));
  REQUIRE(f.w.model->asked.size() == 3);
  REQUIRE(f.w.model->asked[2].files);
  CHECK(f.w.model->asked[2].files->count(f.image) == 1);
}

TEST_CASE("attachments: only files of this session, at most ten, and some content") {
  with_files f;
  auto other = f.w.opened(2);
  auto foreign = f.w.must<core::file_stored>(other, {}, file("b", "text/plain", "b")).file.file;
  auto e = f.w.refused(f.id, {}, with("x", {f.text, foreign}));
  CHECK(e.code == errc::validation_error);
  CHECK(e.text.find(foreign.str()) != std::string::npos);
  CHECK(f.w.refused(f.id, {}, with("x", std::vector<core::file_id>(11, f.text))).code == errc::validation_error);
  CHECK(f.w.all<core::message_added>(f.id).empty());
  f.w.restart();
  (void)f.w.must<core::message_accepted>(f.id, {}, with("", {f.text}));
}

TEST_CASE("attachments: a queued message keeps its files") {
  with_files f;
  f.w.model->holds = true;
  (void)f.w.must<core::message_accepted>(f.id, {}, say("first"));
  auto queued = f.w.must<core::message_accepted>(f.id, {}, with("second", {f.image}));
  f.w.must(f.id, {}, core::edit_queued{queued.message, "", 0});
  f.w.restart();
  f.w.model->holds = false;
  f.w.model->let_go();
  f.w.settle();
  const auto& request = f.w.model->asked.back();
  REQUIRE(request.files);
  CHECK(request.files->count(f.image) == 1);
  CHECK(request.history->back().content.empty());
  CHECK(f.w.defects() == "");
}

TEST_CASE("attachments: a run that is stopped while its files are read ends as stopped") {
  with_files f;
  bool was_early = false;
  for (std::size_t n = 0; n < 40; ++n) {
    f.w.model->asked.clear();
    auto sent = f.w.post(f.id, {}, with("look", {f.image, f.text}));
    f.w.run_some(n);
    auto cancelled = f.w.post(f.id, {}, core::cancel_run{});
    f.w.settle();
    REQUIRE(sent->has_value());
    REQUIRE(cancelled->has_value());
    if (cancelled->value().has_value()) was_early = was_early || f.w.model->asked.empty();
  }
  CHECK(was_early);
  auto ended = f.w.all<core::run_cancelled>(f.id).size() + f.w.all<core::run_completed>(f.id).size();
  CHECK(ended == f.w.all<core::run_started>(f.id).size());
  CHECK(f.w.defects() == "");
}
