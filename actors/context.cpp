#include "actors/context.hpp"

#include "providers/attachments.hpp"
#include "tools/text.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

constexpr std::size_t bytes_per_token = 4;
/// Of documents that a model is given as they are: most of their bytes are no text.
constexpr std::size_t bytes_per_token_of_file = 16;

std::uint64_t tokens_of(const core::attachment& file, const given_files& given) {
  auto use = providers::attachment_use::name;
  if (given.files && given.files->count(file.file) != 0) use = providers::use_of(file, given.takes_images, given.takes_files);
  auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(file.size, 0));
  switch (use) {
    case providers::attachment_use::image:
      return tokens_of_image;
    case providers::attachment_use::file:
      return size / bytes_per_token_of_file;
    case providers::attachment_use::text:
      return size / bytes_per_token;
    case providers::attachment_use::name:
      break;
  }
  return actors::tokens_of(providers::described(file));
}

std::string_view label_of(const core::history_message& message) {
  switch (message.role) {
    case core::role::assistant:
      return "Assistant: ";
    case core::role::tool:
      return message.ok ? "Tool result: " : "Tool failure: ";
    default:
      return "User: ";
  }
}

}  // namespace

std::uint64_t tokens_of(std::string_view text) noexcept { return (text.size() + bytes_per_token - 1) / bytes_per_token; }

std::uint64_t tokens_of(const core::history_message& message, const given_files& given) {
  auto out = tokens_around_message + tokens_of(message.content);
  for (const auto& call : message.calls)
    out += tokens_of(call.id.value) + tokens_of(call.tool) + tokens_of(call.arguments) + tokens_around_message;
  for (const auto& file : message.attachments) out += tokens_of(file, given);
  return out;
}

std::vector<exchange> exchanges_of(const std::vector<core::history_message>& messages, const given_files& given) {
  std::vector<exchange> out;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (out.empty() || messages[i].role == core::role::user) out.push_back({i, 0});
    out.back().tokens += tokens_of(messages[i], given);
  }
  return out;
}

std::size_t too_many(const std::vector<exchange>& all, std::uint64_t room) noexcept {
  std::uint64_t kept = 0;
  for (auto i = all.size(); i > 0; --i) {
    kept += all[i - 1].tokens;
    if (kept > room) return i;
  }
  return 0;
}

std::size_t count_to_sum_up(const std::vector<exchange>& all, std::uint64_t room, bool begins_with_summary) noexcept {
  auto count = too_many(all, room);
  if (all.size() < 2 || count >= all.size()) return 0;
  auto old = all.size() - 1;
  std::uint64_t tokens = 0, half = 0;
  for (std::size_t i = 0; i < old; ++i) tokens += all[i].tokens;
  std::size_t older = 0;
  while (half * 2 < tokens) half += all[older++].tokens;
  count = std::max({count, older, std::size_t{1}});
  if (begins_with_summary && count == 1) count = 2;
  return count <= old ? count : 0;
}

std::string transcript_of(const std::vector<core::history_message>& messages, std::size_t count, std::size_t bytes) {
  auto share = bytes / std::max<std::size_t>(count, 1);
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& message = messages[i];
    auto said = message.content;
    for (const auto& file : message.attachments) said += (said.empty() ? "" : "\n") + providers::described(file);
    for (const auto& call : message.calls) said += (said.empty() ? "" : "\n") + ("calls " + call.tool + " " + call.arguments);
    auto cut = tools::cut_text(said, share);
    out += label_of(message);
    out += cut;
    out += cut.size() < said.size() ? "…\n" : "\n";
  }
  return out;
}

}  // namespace troupe::actors
