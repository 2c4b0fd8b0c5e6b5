// A store between the actors and the real one that can play dead (from a crash on, commits are answered but nothing is
// kept, as if the process had gone) or full (commits are refused). A crash is told by the kind of an event or by a boundary:
// commit n has boundary 2n-1, before it is kept, and 2n, when it is and nobody has been told. Owned by the stage; one thread.
#pragma once

#include "storage/store.hpp"

#include <optional>
#include <string>

namespace troupe::app {

class crash_gate final : public storage::store, public storage::journal {
 public:
  explicit crash_gate(std::unique_ptr<storage::store> inner) : inner_(std::move(inner)) {}

  storage::journal& writer() override { return *this; }
  core::result<std::unique_ptr<storage::queries>> open_queries() override { return inner_->open_queries(); }

  core::result<void> commit(std::span<const storage::append> appends) override {
    if (armed_ && has_armed_kind(appends)) die();
    if (is_dead_) return {};
    if (++boundaries_ == crash_at_) return lose(appends, "before");
    if (refusals_ > 0) {
      --refusals_;
      return core::error{core::errc::storage_unavailable, "the disk is full"};
    }
    auto kept = inner_->writer().commit(appends);
    if (++boundaries_ == crash_at_) return lose(appends, "after");
    return kept;
  }

  core::result<void> store_agent(const core::agent_version_record& version) override {
    if (is_dead_) return {};
    return inner_->writer().store_agent(version);
  }

  /// Boundaries are counted from here on; the process dies at this one. 0: at none.
  void crash_at(std::size_t boundary) noexcept {
    boundaries_ = 0;
    crash_at_ = boundary;
  }
  [[nodiscard]] std::size_t boundaries() const noexcept { return boundaries_; }
  /// Where `crash_at` struck, for people; empty: it has not.
  [[nodiscard]] const std::string& struck() const noexcept { return struck_; }

  /// The next commit with an event of this kind is not kept, and the process is dead.
  void arm(std::string kind) { armed_ = std::move(kind); }
  [[nodiscard]] const std::optional<std::string>& armed() const noexcept { return armed_; }
  void die() {
    is_dead_ = true;
    armed_.reset();
  }
  /// The next commits find the disk full.
  void refuse(std::size_t commits) noexcept { refusals_ = commits; }
  void revive() noexcept { is_dead_ = false; }
  [[nodiscard]] bool is_dead() const noexcept { return is_dead_; }

 private:
  core::result<void> lose(std::span<const storage::append> appends, const char* when) {
    struck_ = when;
    struck_ += " the commit of";
    for (const auto& a : appends)
      for (const auto& e : a.batch->events) struck_.append(" ").append(core::kind_of(e.payload));
    die();
    return {};
  }
  [[nodiscard]] bool has_armed_kind(std::span<const storage::append> appends) const {
    for (const auto& a : appends)
      for (const auto& e : a.batch->events)
        if (core::kind_of(e.payload) == *armed_) return true;
    return false;
  }

  std::unique_ptr<storage::store> inner_;
  std::optional<std::string> armed_;
  std::size_t refusals_ = 0;
  std::size_t boundaries_ = 0;
  std::size_t crash_at_ = 0;
  std::string struck_;
  bool is_dead_ = false;
};

}  // namespace troupe::app
