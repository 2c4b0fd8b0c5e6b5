// What `troupe` does besides serving and replaying: commands that ask a running server, and those that look after its data and
// its keys. Each is one function from its options to an exit status: 0 success, 1 a failure, which was said on stderr.
// Wrong usage ends before, with 2.
#pragma once

#include "app/cli/remote_api.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::app {

struct sessions_options : connection_options {
  std::string search;
  std::string project;
  std::string status;
  std::int64_t limit = 20;
};
struct history_options : connection_options {
  std::string session;
  std::int64_t limit = 1000;
};
struct events_options : connection_options {
  std::string session;
  std::int64_t after = 0;
  std::int64_t limit = 1000;
  bool follow = false;
};
struct trace_options : connection_options {
  std::string trace;  ///< empty: the list
  std::string session;
  std::string project;
  std::int64_t limit = 20;
};
struct spend_options : connection_options {
  std::string project;
  std::string period = "month";
  std::string by = "day";
};
struct approvals_list_options : connection_options {
  std::string status;
  std::string session;
  std::string project;
  std::string kind;
  std::int64_t limit = 20;
};
struct approvals_decide_options : connection_options {
  std::vector<std::string> ids;
  bool approve = false;
  bool deny = false;
  std::string choice;
  std::string answer;     ///< JSON text
  std::string arguments;  ///< JSON text
  std::string note;
  std::string remember;
  std::string lifetime;  ///< e.g. `8h`
};
struct approvals_remembered_options : connection_options {
  std::string project;
  bool all = false;
  std::int64_t limit = 100;
};
struct approvals_revoke_options : connection_options {
  std::string id;
};
struct token_new_options {
  std::string name = "operator";
  std::vector<std::string> scopes;
  bool json = false;
};
struct token_hash_options {
  bool json = false;
};
struct backup_options {
  std::string data = "./troupe-data";
  std::string to;
  bool force = false;
  bool json = false;
};

[[nodiscard]] int show_sessions(const sessions_options& options);
[[nodiscard]] int show_history(const history_options& options);
[[nodiscard]] int show_events(const events_options& options);
[[nodiscard]] int show_trace(const trace_options& options);
[[nodiscard]] int show_spend(const spend_options& options);
[[nodiscard]] int list_approvals(const approvals_list_options& options);
[[nodiscard]] int decide_approvals(const approvals_decide_options& options);
[[nodiscard]] int list_remembered(const approvals_remembered_options& options);
[[nodiscard]] int revoke_remembered(const approvals_revoke_options& options);
[[nodiscard]] int make_token(const token_new_options& options);
/// Of the key that stdin has: arguments of a program are everybody's to read.
[[nodiscard]] int hash_token(const token_hash_options& options);
[[nodiscard]] int back_up_data(const backup_options& options);

}  // namespace troupe::app
