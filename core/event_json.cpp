#include "core/event_json.hpp"

#include "core/event_fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <cmath>
#include <numeric>

namespace troupe::core {

namespace json = boost::json;

namespace {

/// Nesting of an embedded JSON text; the reader of a whole payload allows this and the payload's own levels.
constexpr std::size_t max_embedded_depth = 32;

// ---- JSON texts ----

// Boost.JSON 1.81 may read a fraction one bit off, and an integer beyond 64 bits as another one.
bool is_exact(double v, std::string_view text) {
  double exact = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), exact);
  if (failure != std::errc{} || end != text.data() + text.size() || exact != v || std::abs(v) >= 9007199254740992.0)
    return false;
  json::error_code ec;
  auto reread = json::parse(json::serialize(json::value(v)), ec);
  return !ec && reread.is_double() && reread.get_double() == v;
}

// Looks a text over without building it: only what comes back with the same meaning may be embedded as a value.
struct faithful_handler {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  std::size_t depth = 0;

  bool enter(json::error_code& ec) {
    if (++depth <= max_embedded_depth) return true;
    ec = json::error::too_deep;
    return false;
  }
  bool inside(json::error_code& ec) const {
    // A bare string would read like a text that did not parse.
    if (depth == 0) ec = json::error::syntax;
    return depth > 0;
  }
  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code& ec) { return enter(ec); }
  bool on_array_end(std::size_t, json::error_code&) { return --depth, true; }
  bool on_object_begin(json::error_code& ec) { return enter(ec); }
  bool on_object_end(std::size_t, json::error_code&) { return --depth, true; }
  bool on_string_part(json::string_view, std::size_t, json::error_code& ec) { return inside(ec); }
  bool on_string(json::string_view, std::size_t, json::error_code& ec) { return inside(ec); }
  bool on_key_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_key(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_double(double v, json::string_view text, json::error_code& ec) {
    if (is_exact(v, text)) return true;
    ec = json::error::syntax;
    return false;
  }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

bool is_embeddable(std::string_view text) {
  json::parse_options options;
  options.max_depth = max_embedded_depth;
  json::basic_parser<faithful_handler> parser(options);
  json::error_code ec;
  auto used = parser.write_some(false, text.data(), text.size(), ec);
  return !ec && text.find_first_not_of(" \t\r\n", used) == std::string_view::npos;
}

json::value embed(const std::string& text) {
  if (is_embeddable(text)) {
    json::parse_options options;
    options.max_depth = max_embedded_depth;
    json::error_code ec;
    auto value = json::parse(text, ec, {}, options);
    if (!ec) return value;
  }
  return json::string(text);
}

// ---- to an object ----

struct object_writer {
  json::object& out;

  void text(const char* name, std::string_view v) {
    if (!v.empty()) out.emplace(name, json::string(v));
  }
  void json_text(const char* name, const std::string& v) {
    if (!v.empty()) out.emplace(name, embed(v));
  }
  void integer(const char* name, std::int64_t v) { out.emplace(name, v); }
  void natural(const char* name, std::uint64_t v) { out.emplace(name, v); }
  void boolean(const char* name, bool v) { out.emplace(name, v); }
  void tokens(const char* name, const token_usage& v) {
    out.emplace(name, json::object{{"prompt", v.prompt}, {"cached_prompt", v.cached_prompt}, {"completion", v.completion}});
  }
  void pieces(const text_pieces& v) {
    text("text", v.text);
    if (v.lengths.size() != 1) out.emplace("lengths", json::array(v.lengths.begin(), v.lengths.end()));
  }
  void strings(const char* name, const std::vector<std::string>& v) {
    json::array list;
    for (const auto& one : v) list.push_back(json::string(one));
    out.emplace(name, std::move(list));
  }
  template <class T>
  static json::object object_of(const T& v) {
    json::object o;
    object_writer one{o};
    write_item(one, v);
    return o;
  }
  template <class T>
  void item(const char* name, const T& v) {
    out.emplace(name, object_of(v));
  }
  template <class T>
  void items(const char* name, const std::vector<T>& v) {
    json::array list;
    for (const auto& one : v) list.push_back(object_of(one));
    out.emplace(name, std::move(list));
  }
};

// ---- to text: the same without the tree, because the journal does it for every event ----

struct text_writer {
  std::string& out;

  void key(const char* name) {
    if (out.back() != '{') out.push_back(',');
    out.push_back('"');
    out.append(name);
    out.append("\":");
  }
  void quoted(std::string_view v) {
    constexpr char digits[] = "0123456789abcdef";
    out.push_back('"');
    std::size_t from = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      auto c = static_cast<unsigned char>(v[i]);
      if (c >= 0x20 && c != '"' && c != '\\') continue;
      out.append(v, from, i - from);
      from = i + 1;
      out.push_back('\\');
      if (c == '"' || c == '\\') {
        out.push_back(static_cast<char>(c));
      } else if (c == '\n') {
        out.push_back('n');
      } else {
        out.append("u00");
        out.push_back(digits[c >> 4]);
        out.push_back(digits[c & 15]);
      }
    }
    out.append(v, from, std::string_view::npos);
    out.push_back('"');
  }
  template <class Integer>
  void number(Integer v) {
    char buffer[24];
    auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
    out.append(buffer, end);
  }

  void text(const char* name, std::string_view v) {
    if (v.empty()) return;
    key(name);
    quoted(v);
  }
  void json_text(const char* name, const std::string& v) {
    if (v.empty()) return;
    key(name);
    if (is_embeddable(v)) {
      out.append(v);
    } else {
      quoted(v);
    }
  }
  void integer(const char* name, std::int64_t v) { key(name), number(v); }
  void natural(const char* name, std::uint64_t v) { key(name), number(v); }
  void boolean(const char* name, bool v) { key(name), out.append(v ? "true" : "false"); }
  void tokens(const char* name, const token_usage& v) {
    key(name);
    out.push_back('{');
    integer("prompt", v.prompt);
    integer("cached_prompt", v.cached_prompt);
    integer("completion", v.completion);
    out.push_back('}');
  }
  void pieces(const text_pieces& v) {
    text("text", v.text);
    if (v.lengths.size() == 1) return;
    key("lengths");
    out.push_back('[');
    for (std::size_t i = 0; i < v.lengths.size(); ++i) {
      if (i > 0) out.push_back(',');
      number(v.lengths[i]);
    }
    out.push_back(']');
  }
  void strings(const char* name, const std::vector<std::string>& v) {
    key(name);
    out.push_back('[');
    for (std::size_t i = 0; i < v.size(); ++i) {
      if (i > 0) out.push_back(',');
      quoted(v[i]);
    }
    out.push_back(']');
  }
  template <class T>
  void item(const char* name, const T& v) {
    key(name);
    out.push_back('{');
    write_item(*this, v);
    out.push_back('}');
  }
  template <class T>
  void items(const char* name, const std::vector<T>& v) {
    key(name);
    for (std::size_t i = 0; i < v.size(); ++i) {
      out.append(i == 0 ? "[{" : ",{");
      write_item(*this, v[i]);
      out.push_back('}');
    }
    out.push_back(']');
  }
};

// ---- from an object ----

struct object_reader {
  const json::object& in;
  std::string wrong;  ///< the first field of the wrong type or value

  bool failed(const char* name) {
    if (wrong.empty()) wrong = name;
    return false;
  }
  bool text(const char* name, std::string& v) {
    const auto* p = in.if_contains(name);
    if (!p) return true;
    const auto* s = p->if_string();
    if (!s) return failed(name);
    v.assign(s->data(), s->size());
    return true;
  }
  bool json_text(const char* name, std::string& v) {
    const auto* p = in.if_contains(name);
    if (!p) return true;
    if (const auto* s = p->if_string()) {
      v.assign(s->data(), s->size());
    } else {
      v = json::serialize(*p);
    }
    return true;
  }
  template <class Integer>
  bool whole(const char* name, Integer& v) {
    const auto* p = in.if_contains(name);
    if (!p) return true;
    json::error_code ec;
    auto n = p->to_number<Integer>(ec);
    if (ec || p->is_double()) return failed(name);
    v = n;
    return true;
  }
  bool boolean(const char* name, bool& v) {
    const auto* p = in.if_contains(name);
    if (!p) return true;
    if (!p->is_bool()) return failed(name);
    v = p->get_bool();
    return true;
  }
  bool tokens(const char* name, token_usage& v) {
    const auto* p = in.if_contains(name);
    if (!p) return true;
    if (!p->is_object()) return failed(name);
    object_reader inner{p->get_object(), {}};
    return (inner.whole("prompt", v.prompt) && inner.whole("cached_prompt", v.cached_prompt) &&
            inner.whole("completion", v.completion)) ||
           failed(name);
  }
  bool pieces(text_pieces& v) {
    if (!text("text", v.text)) return false;
    const auto* p = in.if_contains("lengths");
    if (!p) {
      v.lengths.assign(1, static_cast<std::uint32_t>(v.text.size()));
      return true;
    }
    if (!p->is_array()) return failed("lengths");
    v.lengths.clear();
    for (const auto& length : p->get_array()) {
      json::error_code ec;
      v.lengths.push_back(length.to_number<std::uint32_t>(ec));
      if (ec || length.is_double()) return failed("lengths");
    }
    auto sum = std::accumulate(v.lengths.begin(), v.lengths.end(), std::size_t{0});
    return sum == v.text.size() || failed("lengths");
  }
  bool strings(const char* name, std::optional<std::vector<std::string>>& v) {
    const auto* p = in.if_contains(name);
    if (!p) return true;
    if (!p->is_array()) return failed(name);
    v.emplace();
    for (const auto& one : p->get_array()) {
      if (!one.is_string()) return failed(name);
      v->emplace_back(one.get_string().data(), one.get_string().size());
    }
    return true;
  }
  template <class T>
  bool item_from(const json::value& from, T& v) {
    if (!from.is_object()) return false;
    object_reader inner{from.get_object(), {}};
    return read_item(inner, v);
  }
  template <class T>
  bool item(const char* name, T& v) {
    const auto* p = in.if_contains(name);
    return !p || item_from(*p, v) || failed(name);
  }
  template <class T>
  bool items(const char* name, std::vector<T>& v) {
    const auto* p = in.if_contains(name);
    if (!p) return true;
    if (!p->is_array()) return failed(name);
    v.clear();
    for (const auto& one : p->get_array())
      if (!item_from(one, v.emplace_back())) return failed(name);
    return true;
  }
};

template <std::size_t I = 0>
result<event_payload> read_payload(std::string_view kind, const json::object& in) {
  if constexpr (I == std::variant_size_v<event_payload>) {
    return error{errc::parse_error, "event kind `" + std::string(kind) + "` is unknown"};
  } else {
    if (kind != kind_name<I>) return read_payload<I + 1>(kind, in);
    std::variant_alternative_t<I, event_payload> e;
    object_reader reader{in, {}};
    read_fields(reader, e);
    if (reader.wrong.empty()) return event_payload(std::move(e));
    return error{errc::parse_error,
                 "field `" + reader.wrong + "` of a " + std::string(kind) + " event has a wrong type or value"};
  }
}

void append_payload(json::object& out, const event_payload& payload) {
  object_writer writer{out};
  std::visit([&](const auto& e) { write_fields(writer, e); }, payload);
}

}  // namespace

json::object payload_to_json(const event_payload& payload) {
  json::object out;
  append_payload(out, payload);
  return out;
}

std::string payload_to_text(const event_payload& payload) {
  std::string out;
  out.reserve(256);
  out.push_back('{');
  text_writer writer{out};
  std::visit([&](const auto& e) { write_fields(writer, e); }, payload);
  out.push_back('}');
  return out;
}

result<event_payload> payload_from_json(std::string_view kind, const json::object& fields) {
  return read_payload(kind, fields);
}

result<event_payload> payload_from_text(std::string_view kind, std::string_view text) {
  json::parse_options options;
  options.max_depth = max_embedded_depth + 4;
  options.allow_invalid_utf8 = true;  // text is stored byte for byte as the model sent it
  json::error_code ec;
  auto value = json::parse(text, ec, {}, options);
  if (ec || !value.is_object())
    return error{errc::parse_error, "the payload of a " + std::string(kind) + " event is not a JSON object"};
  return read_payload(kind, value.get_object());
}

json::object event_to_json(const event& e) {
  json::object out;
  out.emplace("kind", kind_of(e.payload));
  out.emplace("seq", e.seq);
  if (e.first != e.seq) out.emplace("first", e.first);
  out.emplace("at", e.at.count());
  append_payload(out, e.payload);
  return out;
}

result<event> event_from_json(const json::object& object) {
  event e;
  std::string kind;
  std::int64_t at = 0;
  object_reader reader{object, {}};
  reader.text("kind", kind);
  reader.whole("seq", e.seq);
  e.first = e.seq;
  reader.whole("first", e.first);
  reader.whole("at", at);
  if (reader.wrong.empty() && e.first > e.seq) reader.wrong = "first";
  if (!reader.wrong.empty())
    return error{errc::parse_error, "field `" + reader.wrong + "` of an event has a wrong type or value"};
  e.at = millis(at);
  auto payload = read_payload(kind, object);
  if (!payload) return payload.error();
  e.payload = std::move(*payload);
  return e;
}

}  // namespace troupe::core
