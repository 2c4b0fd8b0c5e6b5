// How an attached file reaches a model: as an image, as a file, as text in the message, or by its name only. The same rule
// says which files are read from the store. Pure values, any thread.
#pragma once

#include "providers/provider.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::providers {

/// A text file up to this size is written into the message itself.
inline constexpr std::int64_t max_inline_text = 64 << 10;

enum class attachment_use : std::uint8_t { name, text, image, file };
[[nodiscard]] attachment_use use_of(const core::attachment& file, bool takes_images, bool takes_files);

/// `type/subtype` in lower case, without parameters.
[[nodiscard]] std::string media_type(std::string_view content_type);

/// RFC 4648 §4, padded.
[[nodiscard]] std::string base64(std::string_view bytes);

/// `data:<type>;base64,…` (RFC 2397).
[[nodiscard]] std::string data_url(std::string_view media_type, std::string_view bytes);

/// One line for a model that is not given the content.
[[nodiscard]] std::string described(const core::attachment& file);
/// A text file as part of the message.
[[nodiscard]] std::string inlined(const core::attachment& file, const std::string& data);

/// What a request gives of a file. `data` is null exactly where only its name is given; images and files have content.
struct given_attachment {
  attachment_use use = attachment_use::name;
  const std::string* data = nullptr;
};
[[nodiscard]] given_attachment given(const core::attachment& file, const model_request& request);

}  // namespace troupe::providers
