// The agent loop and what its tools give: output while they run, results, long ones, files.
#include "actors/agent_loop_core.hpp"
#include "providers/utf8.hpp"
#include "tools/text.hpp"

#include <boost/json/value_to.hpp>

#include <algorithm>

namespace troupe::actors {

using payloads = agent_loop_core::payloads;

namespace {

constexpr std::size_t max_files_of_result = 16;
constexpr std::size_t max_file_text = 200;  ///< of a name or content type

/// Files as they become the session's, within its limits; and what the model is told of each.
struct file_shelf {
  const core::session_limits& limits;
  std::size_t count;
  std::int64_t bytes;

  /// Empty where it fits.
  [[nodiscard]] std::string obstacle(const tools::tool_file& file) const {
    auto size = static_cast<std::int64_t>(file.bytes.size());
    if (size > limits.max_file_bytes) return "larger than " + std::to_string(limits.max_file_bytes) + " bytes";
    if (count >= limits.max_files) return "the session has " + std::to_string(count) + " files, as many as it may";
    if (bytes + size > limits.max_session_bytes)
      return "the session's files would have more than " + std::to_string(limits.max_session_bytes) + " bytes";
    return {};
  }
};

std::string part_end(std::int64_t from, const core::tool_output_part& part) {
  auto to = part.offset + static_cast<std::int64_t>(part.text.size());
  if (part.text.empty())
    return "[nothing at offset " + std::to_string(from) + "; the output has " + std::to_string(part.total) + " bytes]";
  auto place = "\n[bytes " + std::to_string(part.offset) + " to " + std::to_string(to) + " of " + std::to_string(part.total);
  return place + (to < part.total ? "; the next part begins at offset " + std::to_string(to) + "]" : ", the end]");
}

}  // namespace

void agent_loop_core::settle(std::size_t i, core::tool_completed result, payloads before) {
  auto& call = s.calls[i];
  call.settled = true;
  call.invocation = tool_invocation_actor();
  payloads facts;
  close_questions(call, core::decision::expired, "The call ended before anybody answered.", {}, facts);
  std::move(before.begin(), before.end(), std::back_inserter(facts));
  s.services->health->count_tool_call(result.tool, result.ok);
  facts.emplace_back(std::move(result));
  tell(std::move(facts));
  go_on(s.machine.call_settled(i));
}

void agent_loop_core::on_progress(tool_output& m) {
  if (!find_open(m.call) || s.machine.is_over()) return;
  tell({core::tool_progress{m.call, std::move(m.text)}});
}

void agent_loop_core::on_result(tool_outcome& m) {
  auto i = find_open(m.call);
  if (!i || s.machine.is_over()) return;
  if (m.files.empty()) return complete(*i, m, {}, {});
  s.calls[*i].invocation = tool_invocation_actor();
  keep_files(std::move(m));
}

/// What the session has already is looked up each time: others add files too.
void agent_loop_core::keep_files(tool_outcome m) {
  auto outcome = std::make_shared<tool_outcome>(std::move(m));
  auto go_on_with = [this_loop = *this, outcome](const std::vector<core::file_record>& stored) mutable {
    auto& me = this_loop;
    auto i = me.find_open(outcome->call);
    if (!i || me.s.machine.is_over()) return;
    file_shelf shelf{me.s.services->config->sessions, stored.size(), 0};
    for (const auto& f : stored) shelf.bytes += f.file.size;
    for (const auto& f : me.s.made_files) {
      if (std::any_of(stored.begin(), stored.end(), [&](const auto& known) { return known.file.file == f.file; })) continue;
      ++shelf.count;
      shelf.bytes += f.size;
    }
    payloads facts;
    std::string lines;
    for (std::size_t n = 0; n < outcome->files.size(); ++n) {
      auto& file = outcome->files[n];
      core::attachment kept;
      kept.name = providers::bounded_text(file.name.empty() ? "file" : file.name, max_file_text);
      kept.content_type = providers::bounded_text(file.content_type, max_file_text);
      if (kept.content_type.empty()) kept.content_type = "application/octet-stream";
      kept.size = static_cast<std::int64_t>(file.bytes.size());
      auto what = kept.name + ", " + kept.content_type + ", " + std::to_string(kept.size) + " bytes";
      auto why = n < max_files_of_result ? shelf.obstacle(file)
                                         : "a result has at most " + std::to_string(max_files_of_result) + " files";
      if (!why.empty()) {
        lines += "\n[file not kept: " + what + ": " + why + "]";
        continue;
      }
      kept.file = me.s.services->environment->make<core::file_id>();
      lines += "\n[file " + kept.file.str() + ": " + what + "]";
      ++shelf.count;
      shelf.bytes += kept.size;
      me.s.made_files.push_back(kept);
      facts.emplace_back(core::file_added{std::move(kept), {}, std::make_shared<const std::string>(std::move(file.bytes))});
    }
    me.complete(*i, *outcome, std::move(facts), lines);
  };
  self->request(s.services->reader_for(s.order.session), caf::infinite, ask{core::list_files{s.order.session}})
      .then([go_on_with](const core::answer& a) mutable { go_on_with(std::get<std::vector<core::file_record>>(a)); },
            [this_loop = *this, outcome](const caf::error& e) mutable {
              auto i = this_loop.find_open(outcome->call);
              if (!i || this_loop.s.machine.is_over()) return;
              this_loop.complete(*i, *outcome, {}, "\n[its files were not kept: " + from_caf(e).text + "]");
            });
}

/// The model gets so much at once; the whole is stored for read_output.
void agent_loop_core::complete(std::size_t i, tool_outcome& m, payloads files, const std::string& file_lines) {
  core::tool_completed result{s.order.run, m.call, s.calls[i].asked.tool, m.ok, {}, m.ms};
  result.child_tokens = m.child_tokens;
  result.child_cost = m.child_cost;
  s.tokens += m.child_tokens;
  s.cost += m.child_cost;
  auto whole =
      tools::is_plain_text(m.output) ? std::move(m.output) : providers::bounded_text(m.output, tools::max_output_bytes);
  if (whole.size() > tools::max_output_bytes) whole = std::string(tools::cut_text(whole, tools::max_output_bytes));
  if (whole.size() > s.order.agent->limits.max_output_chars) {
    auto part = tools::cut_text(whole, s.order.agent->limits.max_output_chars);
    result.output = std::string(part) + "\n[cut: " + std::to_string(part.size()) + " of " + std::to_string(whole.size()) +
                    " bytes; read_output gives more, with call_id \"" + m.call.str() + "\" and offset " +
                    std::to_string(part.size()) + "]";
    result.output_bytes = static_cast<std::int64_t>(whole.size());
    result.whole_output = std::make_shared<const std::string>(std::move(whole));
  } else {
    result.output = std::move(whole);
  }
  result.output += file_lines;
  settle(i, std::move(result), std::move(files));
}

void agent_loop_core::read_output(std::size_t i) {
  const auto& arguments = s.calls[i].arguments;
  auto number = [&](const char* name, std::int64_t otherwise) {
    boost::system::error_code none;
    const auto* v = arguments.if_contains(name);
    auto n = v ? v->to_number<std::int64_t>(none) : otherwise;
    return none ? otherwise : n;
  };
  const std::int64_t most = s.order.agent->limits.max_output_chars;
  core::get_tool_output question;
  question.session = s.order.session;
  question.call.value = std::string(arguments.at("call_id").as_string());
  question.offset = std::max<std::int64_t>(0, number("offset", 0));
  question.limit = std::clamp<std::int64_t>(number("limit", most), 1, most);
  auto settle_as = [this_loop = *this, id = s.calls[i].asked.id](bool ok, std::string text) mutable {
    if (auto at = this_loop.find_open(id); at && !this_loop.s.machine.is_over()) this_loop.settle(*at, ok, std::move(text));
  };
  self->request(s.services->reader_for(s.order.session), caf::infinite, ask{question})
      .then(
          [settle_as, from = question.offset](core::answer& a) mutable {
            auto& part = std::get<core::tool_output_part>(a);
            bool has_text = !part.text.empty();
            settle_as(has_text, part.text + part_end(from, part));
          },
          [settle_as, call = question.call](const caf::error& e) mutable {
            auto why = from_caf(e);
            settle_as(false, why.code == core::errc::not_found ? "There is no output of a call \"" + call.str() + "\"."
                                                               : "The output could not be read: " + why.text);
          });
}

}  // namespace troupe::actors
