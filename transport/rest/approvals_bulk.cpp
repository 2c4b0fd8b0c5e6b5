// Many approvals in one call (PROTOCOLS §1.6): decided one after the other, each with a result of its own.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::size_t max_ids = 100;

class bulk_decision : public std::enable_shared_from_this<bulk_decision> {
 public:
  bulk_decision(rest_call_ptr call, std::vector<std::string> ids, given_decision given)
      : call_(std::move(call)), ids_(std::move(ids)), given_(std::move(given)) {}

  void next() {
    if (results_.size() == ids_.size()) {
      auto total = static_cast<std::int64_t>(results_.size());
      return call_->answer(200, list_of(std::move(results_), total, {total, 0}));
    }
    auto id = core::approval_id::parse(ids_[results_.size()]);
    if (!id) return put_missing();
    ask(core::get_approval{*id}, [me = shared_from_this()](const core::answer& a) {
      const auto& approval = std::get<core::approval_record>(a);
      me->ask(core::get_session{approval.session}, [me, approval](const core::answer& s) {
        const auto& session = std::get<core::session_record>(s);
        bool is_there = session.status != core::session_status::deleted && core::may_see(me->call_->principal(), session);
        is_there ? me->decide(approval) : me->put_missing();
      });
    });
  }

 private:
  void decide(const core::approval_record& approval) {
    field_problem problem;
    auto command = decision_on(approval, given_, call_->principal(), problem);
    if (!command) return put_error(to_error(problem), {});
    call_->way().submit(approval.session, call_->principal(), std::move(*command),
                        [me = shared_from_this(), id = approval.id](const core::result<core::command_reply>& r) {
                          if (!r) return me->put_error(r.error(), {});
                          const auto& settled = std::get<core::approval_settled>(*r);
                          bool is_lost = !settled.won && !settled.is_pending;
                          me->ask(core::get_approval{id}, [me, settled, is_lost](const core::answer& a) {
                            const auto& now = std::get<core::approval_record>(a);
                            if (is_lost) return me->put_error(lost_decision(settled), winner_json(settled, &now));
                            me->put(approval_json(now));
                          });
                        });
  }

  void ask(core::query query, std::function<void(const core::answer&)> then) {
    call_->way().ask(std::move(query), [me = shared_from_this(), then = std::move(then)](const core::result<core::answer>& r) {
      if (r) return then(*r);
      if (r.error().code == errc::not_found) return me->put_missing();
      me->put_error(r.error(), {});
    });
  }

  void put(json::object approval) {
    results_.push_back(json::object{{"id", ids_[results_.size()]}, {"status", approval["status"]}, {"approval", approval}});
    next();
  }
  void put_missing() { put_error({errc::not_found, "Approval not found: " + ids_[results_.size()].substr(0, 64)}, {}); }
  void put_error(const core::error& e, json::object details) {
    json::object error{{"code", core::to_string(e.code)}, {"message", e.text}};
    if (!details.empty()) error["details"] = std::move(details);
    results_.push_back(json::object{{"id", ids_[results_.size()]}, {"error", std::move(error)}});
    next();
  }

  rest_call_ptr call_;
  std::vector<std::string> ids_;
  given_decision given_;
  json::array results_;
};

std::optional<std::vector<std::string>> ids_of(const rest_call_ptr& call, const json::object& body) {
  const auto* list = body.if_contains("ids");
  if (!list || !list->is_array() || list->get_array().empty() || list->get_array().size() > max_ids) {
    call->fail_field("ids", "must be a list of 1 to " + std::to_string(max_ids) + " approval ids");
    return std::nullopt;
  }
  std::vector<std::string> ids;
  for (const auto& v : list->get_array()) {
    if (!v.is_string()) {
      call->fail_field("ids[" + std::to_string(ids.size()) + "]", "must be a string");
      return std::nullopt;
    }
    ids.emplace_back(v.get_string());
  }
  return ids;
}

}  // namespace

/// POST /approvals/decide {ids[], approved | choice, note?, remember?}
void post_decide_many(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto ids = ids_of(call, *body);
  if (!ids) return;
  for (auto name : {"answer", "editedInput", "argumentsHash"})
    if (const auto* v = body->if_contains(name); v && !v->is_null())
      return call->fail_field(name, "belongs to one approval; decide that one by itself");
  field_problem problem;
  auto given = read_decision(*body, problem);
  if (!given) return call->fail_field(problem);
  std::make_shared<bulk_decision>(call, std::move(*ids), std::move(*given))->next();
}

}  // namespace troupe::transport
