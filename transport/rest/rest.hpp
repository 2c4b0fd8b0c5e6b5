// One REST request on its way through the actors and back. Handlers (the other files here, dialects/*_rest.cpp) get a
// `rest_call`, keep it alive in their callbacks, and answer it once. Runs on the connection's io thread.
#pragma once

#include "transport/decision.hpp"
#include "transport/json_text.hpp"
#include "transport/session_feed.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::transport {

/// What errors look like; each dialect's clients expect their own.
enum class error_shape : std::uint8_t {
  nexus,       ///< {error: {code, message, details?}, message}
  detail,      ///< {detail}
  statuscode,  ///< {statusCode, message, error}: chat-events and chat-room
};

/// What a caller needs for a route.
enum class access : std::uint8_t {
  usual,  ///< `read` for GET, `chat` for everything else
  open,   ///< nothing: health, log-ins
  known,  ///< credentials, with whatever scope
  read,
  chat,
  approve,
  admin,
  operations,  ///< to be on this machine, or `admin`
};

class rest_call : public std::enable_shared_from_this<rest_call> {
 public:
  rest_call(feed_hub& hub, http_request request, std::shared_ptr<http_exchange> exchange, error_shape shape);

  http_request request;
  std::shared_ptr<http_exchange> exchange;
  std::vector<std::pair<std::string_view, std::string>> parameters;  ///< of the route's pattern

  [[nodiscard]] const std::string& parameter(std::string_view name) const;
  [[nodiscard]] feed_hub& hub() noexcept { return hub_; }
  [[nodiscard]] gateway& way() noexcept { return hub_.way(); }
  [[nodiscard]] const core::config& config() noexcept { return way().config(); }
  [[nodiscard]] const core::principal& principal() const noexcept { return who_; }

  void answer(int status, boost::json::object body);
  void answer(int status, boost::json::array body);
  void fail(const core::error& e) { fail(e, {}, {}); }
  /// With `error.details`, which only the nexus shape has.
  void fail_with(const core::error& e, boost::json::object details) {
    fail(e, details.empty() ? boost::json::value() : boost::json::value(std::move(details)), {});
  }
  void fail_with_list(const core::error& e, boost::json::array details) { fail(e, std::move(details), {}); }
  /// VALIDATION_ERROR: 400 with its `details.issues`, or 422 in the detail shape.
  void fail_field(std::string_view path, std::string_view message);
  void fail_field(const field_problem& problem);

  /// 405 with the methods the path has.
  void fail_method(const std::string& allowed);

  /// The body as a JSON object; on anything else the call is answered and nothing is returned.
  [[nodiscard]] std::optional<boost::json::object> body_object();
  /// A string field of the body. Absent: `required` answers the call, else "". Wrong type answers the call.
  [[nodiscard]] std::optional<std::string> body_string(const boost::json::object& body, std::string_view name, bool required);
  /// A whole number from the query; answers the call when it is none in range.
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                                   std::int64_t most);
  /// `limit` (1–100, default 20) and `offset` from the query; answers the call when they are not numbers in range.
  [[nodiscard]] std::optional<core::window> window();

  /// Asks and hands on the answer of type T; errors answer the call.
  template <class T>
  void ask(core::query query, std::function<void(T)> then) {
    way().ask(std::move(query), [me = shared_from_this(), then = std::move(then)](core::result<core::answer> r) {
      if (!r) return me->fail(r.error());
      then(std::get<T>(std::move(*r)));
    });
  }
  /// The same for one thing by its id: what is not there is answered with `what` and `id` in the text.
  template <class T>
  void find(core::query query, std::string what, std::string id, std::function<void(T)> then) {
    way().ask(std::move(query), [me = shared_from_this(), what = std::move(what), id = std::move(id),
                                 then = std::move(then)](core::result<core::answer> r) {
      if (r) return then(std::get<T>(std::move(*r)));
      if (r.error().code != core::errc::not_found) return me->fail(r.error());
      me->fail({core::errc::not_found, what + " not found: " + id});
    });
  }
  /// The session that a client means by `text`: its UUID, 24 hex digits of it, or the client's own name for it (PROTOCOLS,
  /// head). Others than by UUID must exist, else the call is answered; whether the caller may see it is not looked at.
  void resolve(std::string text, std::function<void(core::session_id)> then);
  /// The session of the path's `id`, by any of its names. One that is deleted or that the caller may not see is not there.
  void find_session(std::function<void(core::session_record)> then) { find_session(parameter("id"), std::move(then)); }
  void find_session(std::string text, std::function<void(core::session_record)> then);
  /// The session something belongs to; `otherwise` answers the call where the caller may not see it.
  void see_session(core::session_id session, core::error otherwise, std::function<void(core::session_record)> then);
  /// What the caller's lists are about: `visible_to` of the queries.
  [[nodiscard]] std::optional<std::string> visible_to() const;

  /// Is on this machine, or an admin: may know how the server does.
  [[nodiscard]] bool is_operator() const { return request.is_loopback || who_.may(core::scope::admin); }

  /// The same for a command.
  void submit(core::session_id session, core::command command, std::function<void(core::command_reply)> then);

  [[nodiscard]] bool wants_event_stream() const;
  /// Where only the body tells which dialect is meant (PROTOCOLS §7).
  void speak(error_shape shape) noexcept { shape_ = shape; }
  /// Takes the caller's credentials and answers 401 or 403 where they are not enough. Before any handler.
  [[nodiscard]] bool admit(access needs);

 private:
  void fail(const core::error& e, boost::json::value details, std::vector<std::pair<std::string, std::string>> headers);

  feed_hub& hub_;
  core::principal who_{{}, {}, 0, core::millis{0}};  ///< nobody, until admit()
  error_shape shape_;
};
using rest_call_ptr = std::shared_ptr<rest_call>;

/// `{items, data, total, limit, offset}`: one array under both names (PROTOCOLS §1.6).
[[nodiscard]] boost::json::object list_of(boost::json::array items, std::int64_t total, core::window w);

/// The window that the query asks for of a list that is known whole.
void answer_list(const rest_call_ptr& call, boost::json::array all);
/// 204.
void answer_nothing(const rest_call_ptr& call);
/// The project of the path's `p`; null: the call is answered.
[[nodiscard]] const core::project_config* project_parameter(const rest_call_ptr& call);

/// Finds the route and calls it; no route answers 404, a known path with another method 405 with `Allow`.
void dispatch(feed_hub& hub, http_request request, std::shared_ptr<http_exchange> exchange);

}  // namespace troupe::transport
