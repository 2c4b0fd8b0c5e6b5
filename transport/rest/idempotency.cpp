#include "transport/rest/idempotency.hpp"

#include "transport/rest/rest.hpp"

#include <algorithm>

namespace troupe::transport {

namespace {

constexpr std::string_view prefix = "idem:";

core::uuid uuid_of_key(const rest_call& call, std::string_view key, std::string_view use) {
  std::string_view path = call.request.path;
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  std::string name;
  for (std::string_view part : {std::string_view(call.principal().id), std::string_view(call.request.method), path, use, key})
    name.append(std::to_string(part.size())).append(":").append(part);
  return core::uuid_of_name(name);
}

}  // namespace

std::string idempotent_id(const rest_call& call) {
  auto key = call.request.header("idempotency-key");
  return key.empty() ? std::string{} : std::string(prefix) + uuid_of_key(call, key, "message").hex();
}

bool is_idempotent_id(std::string_view client_message_id) noexcept { return client_message_id.starts_with(prefix); }

core::session_id idempotent_session(const rest_call& call) {
  return {uuid_of_key(call, call.request.header("idempotency-key"), "session")};
}

bool is_same_message(const core::message_record& before, const core::send_message& now) {
  return before.content == now.content &&
         std::equal(before.attachments.begin(), before.attachments.end(), now.attachments.begin(), now.attachments.end(),
                    [](const core::attachment& a, const core::file_id& id) { return a.file == id; });
}

core::error reused_key() { return {core::errc::idempotency_mismatch, "This key was used before with another message."}; }

}  // namespace troupe::transport
