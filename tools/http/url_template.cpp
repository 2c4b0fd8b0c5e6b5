#include "tools/http/url_template.hpp"

#include "tools/text.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <optional>

namespace troupe::tools {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

bool is_alphanumeric(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// RFC 3986 §2.3: what is not unreserved is encoded.
void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (char c : text) {
    if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4U], digits[byte & 0xFU]};
    }
  }
}

/// A text, number or boolean.
std::optional<std::string> scalar_text(const json::value& value) {
  if (value.is_string()) return std::string(std::string_view(value.get_string()));
  if (value.is_number() || value.is_bool()) return json::serialize(value);
  return std::nullopt;
}

core::result<std::string> text_of_value(std::string_view name, const json::value& value) {
  if (auto text = scalar_text(value)) return std::move(*text);
  return error{errc::validation_error,
               "the argument " + tools::quoted(name) + " goes into the URL, which takes texts, numbers and booleans"};
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  while (true) {
    auto end = text.find(at);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

const json::value* argument_of(const json::object& arguments, std::string_view name) {
  const auto* value = arguments.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

core::result<url_template::pieces> url_template::read(std::string_view text, std::size_t at) {
  auto wrong = [&](std::size_t offset, const std::string& what) {
    return error{errc::configuration_error, "url, character " + std::to_string(at + offset + 1) + ": " + what};
  };
  pieces out;
  std::size_t i = 0;
  while (i < text.size()) {
    auto brace = text.find_first_of("{}", i);
    auto literal = text.substr(i, brace == std::string_view::npos ? brace : brace - i);
    if (!literal.empty()) out.push_back({std::string(literal), false});
    if (brace == std::string_view::npos) break;
    if (text[brace] == '}') return wrong(brace, "a `}` without its `{`");
    auto end = text.find('}', brace);
    if (end == std::string_view::npos) return wrong(brace, "this `{` has no `}` in the same part of the path or query");
    auto name = text.substr(brace + 1, end - brace - 1);
    bool is_name = !name.empty() && std::all_of(name.begin(), name.end(),
                                                [](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; });
    if (!is_name)
      return wrong(brace, tools::quoted(text.substr(brace, end - brace + 1)) +
                              " is no placeholder; write {name}, with letters, digits and `_-.`");
    out.push_back({std::string(name), true});
    names_.emplace(name);
    i = end + 1;
  }
  return out;
}

core::result<url_template> url_template::parse(std::string_view text) {
  auto wrong = [](const std::string& what) { return error{errc::configuration_error, "url: " + what}; };
  auto authority = text.find("://");
  if (authority == std::string_view::npos || (!text.starts_with("http://") && !text.starts_with("https://")))
    return wrong("must begin with http:// or https://");
  if (text.size() > max_url_bytes) return wrong("is longer than " + std::to_string(max_url_bytes) + " bytes");
  auto path = std::min(text.find_first_of("/?#", authority + 3), text.size());
  url_template out;
  out.origin_ = text.substr(0, path);
  if (out.origin_.find_first_of("{}") != std::string::npos)
    return wrong("a placeholder may stand in the path or the query, not in the host; the model would choose whom to ask");
  if (text.find('#') != std::string_view::npos) return wrong("has a `#` part, which is never sent; leave it out");

  auto query = std::min(text.find('?', path), text.size());
  if (path < query) {
    auto at = path + 1;
    for (auto segment : split(text.substr(at, query - at), '/')) {
      auto read = out.read(segment, at);
      if (!read) return read.error();
      out.segments_.push_back(std::move(*read));
      at += segment.size() + 1;
    }
  }
  if (query + 1 < text.size()) {
    auto at = query + 1;
    for (auto pair : split(text.substr(at), '&')) {
      auto read = out.read(pair, at);
      if (!read) return read.error();
      out.pairs_.push_back(std::move(*read));
      at += pair.size() + 1;
    }
  }
  json::object sample;
  for (const auto& name : out.names_) sample[name] = "x";
  if (auto url = out.fill(sample, {}); !url) return wrong(url.error().text);
  return out;
}

core::result<http_url> url_template::fill(const json::object& arguments, const json::object& more) const {
  auto wrong = [](std::string what) { return error{errc::validation_error, std::move(what)}; };
  auto url = origin_;
  for (const auto& segment : segments_) {
    std::string text;
    for (const auto& p : segment) {
      if (!p.is_name) {
        text += p.text;
        continue;
      }
      const auto* value = argument_of(arguments, p.text);
      auto given = value == nullptr ? core::result<std::string>(std::string()) : text_of_value(p.text, *value);
      if (!given) return given.error();
      if (given->empty()) return wrong("the argument " + tools::quoted(p.text) + " is needed: it is a part of the path");
      append_encoded(text, *given);
    }
    if (text == "." || text == "..") return wrong("a part of the path may not be `.` or `..`");
    url += '/' + text;
  }
  char mark = '?';
  auto add = [&](const std::string& pair) {
    url += mark + pair;
    mark = '&';
  };
  for (const auto& pair : pairs_) {
    std::string text;
    bool is_whole = true;
    for (const auto& p : pair) {
      if (!p.is_name) {
        text += p.text;
        continue;
      }
      const auto* value = argument_of(arguments, p.text);
      is_whole = is_whole && value != nullptr;
      if (value == nullptr) continue;
      auto given = text_of_value(p.text, *value);
      if (!given) return given.error();
      append_encoded(text, *given);
    }
    if (is_whole) add(text);
  }
  for (const auto& member : more) {
    auto one = [&](const json::value& value) -> core::result<void> {
      auto given = text_of_value(member.key(), value);
      if (!given) return given.error();
      std::string pair;
      append_encoded(pair, member.key());
      pair += '=';
      append_encoded(pair, *given);
      add(pair);
      return {};
    };
    const auto& value = member.value();
    if (value.is_null()) continue;
    if (const auto* several = value.if_array()) {
      for (const auto& element : *several)
        if (auto added = one(element); !added) return added.error();
    } else if (auto added = one(value); !added) {
      return added.error();
    }
  }
  return parse_url(url);
}

}  // namespace troupe::tools
