#include "transport/rest/attachments.hpp"

namespace troupe::transport {

namespace json = boost::json;

core::result<std::vector<core::file_id>> attachments_field(const json::object& o) {
  constexpr std::size_t most = 100;  // the session has its own, lower limit
  auto invalid = [](std::string_view what) {
    return core::error{core::errc::validation_error, "Field \"attachments\" " + std::string(what)};
  };
  std::vector<core::file_id> out;
  const auto* v = o.if_contains("attachments");
  if (!v || v->is_null()) return out;
  if (!v->is_array() || v->get_array().size() > most)
    return invalid("must be an array of at most " + std::to_string(most) + " file ids.");
  for (const auto& item : v->get_array()) {
    auto id = item.is_string() ? core::file_id::parse(item.get_string()) : std::nullopt;
    if (!id) return invalid("must hold file ids, as POST /sessions/{id}/files gives them.");
    out.push_back(*id);
  }
  return out;
}

json::object attachment_json(const core::attachment& a) {
  return {{"fileId", a.file.str()}, {"name", a.name}, {"contentType", a.content_type}, {"size", a.size}};
}

json::array attachments_json(const std::vector<core::attachment>& all) {
  json::array out;
  for (const auto& a : all) out.push_back(attachment_json(a));
  return out;
}

}  // namespace troupe::transport
