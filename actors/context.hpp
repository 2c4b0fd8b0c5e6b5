// How much of a conversation fits a model: token estimates, whole exchanges, and what a model reads that is to sum some of
// them up. Pure; used by the agent loop. Estimates only: four bytes count as a token, whoever the provider is.
#pragma once

#include "core/history.hpp"
#include "providers/provider.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors {

inline constexpr std::uint64_t tokens_of_image = 1'600;
inline constexpr std::uint64_t tokens_around_message = 4;

[[nodiscard]] std::uint64_t tokens_of(std::string_view text) noexcept;

/// Which of a message's attachments are given to the model, and how.
struct given_files {
  const providers::model_files* files = nullptr;
  bool takes_images = false;
  bool takes_files = false;
};
[[nodiscard]] std::uint64_t tokens_of(const core::history_message& message, const given_files& given);

/// A user's message and all that followed it.
struct exchange {
  std::size_t begin = 0;  ///< index of its first message
  std::uint64_t tokens = 0;
};
/// Oldest first; the last one is the current one. A summary counts as an exchange.
[[nodiscard]] std::vector<exchange> exchanges_of(const std::vector<core::history_message>& messages, const given_files& given);

/// How many of the oldest must go so that the rest has at most `room` tokens; all of them where the last alone has more.
[[nodiscard]] std::size_t too_many(const std::vector<exchange>& all, std::uint64_t room) noexcept;
/// How many of the oldest to sum up: those that must go, and no less than the older half of all but the current one. A
/// summary alone is not summed up again. 0: that would not help.
[[nodiscard]] std::size_t count_to_sum_up(const std::vector<exchange>& all, std::uint64_t room,
                                          bool begins_with_summary) noexcept;

/// The first `count` messages as plain text of at most `bytes` bytes or a little more: the longest are cut.
[[nodiscard]] std::string transcript_of(const std::vector<core::history_message>& messages, std::size_t count,
                                        std::size_t bytes);

}  // namespace troupe::actors
