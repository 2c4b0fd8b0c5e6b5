#include "transport/conversation_watch.hpp"

#include "transport/dialects/chat_room.hpp"
#include "transport/dialects/chat_room_json.hpp"
#include "transport/dialects/socketio_frames.hpp"
#include "transport/json_text.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace troupe::transport {

namespace json = boost::json;

namespace {

constexpr std::chrono::milliseconds gathering{50};  // changes that come together are told together
constexpr std::size_t max_changes = 200;            // looked at one by one
constexpr std::int64_t longest_list = 100;

bool changes_the_list(const core::event& e) {
  return e.as<core::session_created>() || e.as<core::session_updated>() || e.as<core::session_closed>();
}

}  // namespace

struct conversation_watch::member {
  std::shared_ptr<peer> to;
  std::function<const core::principal&()> who;
  bool missed = false;  ///< its queue was too full for the last list
};

/// One look at what changed.
struct conversation_watch::round {
  std::vector<core::session_record> changes;
  std::size_t open = 0;  ///< answers that have not come yet
  bool for_all = false;
};

conversation_watch::conversation_watch(boost::asio::io_context& io) : timer_(io) {}
conversation_watch::~conversation_watch() = default;

void conversation_watch::start(gateway& way) { way_ = &way; }

void conversation_watch::stop() {
  way_ = nullptr;
  rooms_ = nullptr;
  timer_.cancel();
  members_.clear();
}

std::shared_ptr<void> conversation_watch::join(std::shared_ptr<peer> to, std::function<const core::principal&()> who) {
  if (members_.size() >= sweep_at_) {
    std::erase_if(members_, [](const auto& weak) { return weak.expired(); });
    sweep_at_ = std::max<std::size_t>(64, members_.size() * 2);
  }
  auto m = std::make_shared<member>(member{std::move(to), std::move(who)});
  members_.push_back(m);
  return m;
}

void conversation_watch::deliver(core::event_batch_ptr batch) noexcept {
  if (std::none_of(batch->events.begin(), batch->events.end(), changes_the_list)) return;
  bool post = false;
  {
    std::lock_guard lock(mutex_);
    if (changed_.size() < max_changes)
      changed_.insert(batch->session);
    else
      too_many_ = true;
    post = !std::exchange(posted_, true);
  }
  if (post) boost::asio::post(timer_.get_executor(), [me = shared_from_this()] { me->wait(); });
}

void conversation_watch::wait() {
  if (!way_) {
    // Nobody is here yet who could have seen the list before.
    std::lock_guard lock(mutex_);
    changed_.clear();
    posted_ = false;
    return;
  }
  if (telling_ || std::exchange(waiting_, true)) return;
  timer_.expires_after(gathering);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    auto me = weak.lock();
    if (!me) return;
    me->waiting_ = false;
    if (!error && me->way_) me->begin();
  });
}

void conversation_watch::begin() {
  auto r = std::make_shared<round>();
  std::set<core::session_id> changed;
  {
    std::lock_guard lock(mutex_);
    changed.swap(changed_);
    r->for_all = std::exchange(too_many_, false);
    posted_ = false;
  }
  telling_ = true;
  if (r->for_all) changed.clear();
  r->open = changed.size();
  if (changed.empty()) return tell(r);
  for (auto id : changed)
    way_->ask(core::get_session{id}, [me = shared_from_this(), r](const core::result<core::answer>& a) {
      if (a)
        if (const auto* found = std::get_if<core::session_record>(&*a)) r->changes.push_back(*found);
      if (--r->open == 0) me->tell(r);
    });
}

void conversation_watch::tell(const std::shared_ptr<round>& r) {
  telling_ = false;
  if (!way_) return;
  // Admins all see the same, so they are one.
  std::map<std::pair<bool, std::string>, std::vector<std::shared_ptr<member>>> by_user;
  for (const auto& weak : members_) {
    auto m = weak.lock();
    if (!m) continue;
    const auto& who = m->who();
    if (who.scopes == 0) continue;
    bool concerned = r->for_all || m->missed ||
                     std::any_of(r->changes.begin(), r->changes.end(), [&](const auto& s) { return core::may_see(who, s); });
    if (!concerned) continue;
    bool is_admin = who.may(core::scope::admin);
    by_user[{is_admin, is_admin ? std::string{} : who.id}].push_back(std::move(m));
  }
  for (const auto& [user, sockets] : by_user) send_list(sockets);
  bool again = false;
  {
    std::lock_guard lock(mutex_);
    again = !changed_.empty() || too_many_;
  }
  if (again) wait();
}

void conversation_watch::send_list(const std::vector<std::shared_ptr<member>>& to) {
  core::list_sessions query;
  query.dialect = "chat-room";
  query.window = {longest_list, 0};
  const auto& first = to.front()->who();
  if (!first.may(core::scope::admin)) query.visible_to = first.id;
  std::vector<std::weak_ptr<member>> waiting(to.begin(), to.end());
  way_->ask(std::move(query), [me = shared_from_this(), waiting](const core::result<core::answer>& a) {
    const auto* found = a ? std::get_if<core::page<core::session_record>>(&*a) : nullptr;
    if (!found || !me->way_) return;
    json::array conversations;
    for (const auto& s : found->items)
      conversations.push_back(room_conversation_json(s, me->rooms_ ? me->rooms_->users(s.id) : std::vector<room_user>{}, {}));
    json::object payload{{"conversations", std::move(conversations)}, {"timestamp", iso_time(me->way_->environment().now())}};
    frame_writer out(framing::websocket);
    put_event(out, chat_room_namespace, "chat:conversations-updated", json::serialize(payload), {}, 0);
    auto framed = out.take();
    for (const auto& weak : waiting) {
      auto m = weak.lock();
      if (!m || m->who().scopes == 0) continue;
      // It gets the whole list with the next change: there is no place in a log to come back to.
      m->missed = m->to->is_congested();
      if (!m->missed) m->to->send(framed);
    }
  });
}

}  // namespace troupe::transport
