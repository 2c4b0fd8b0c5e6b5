// The REST API as the commands ask it: lists over their pages, and whatever is no success as an error that says what to do.
// Owned by one command; one thread.
#pragma once

#include "core/error.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace troupe::app {

class rest_client;
struct rest_answer;

struct connection_options {
  std::string url = "http://127.0.0.1:8080";
  std::string token;
  std::string ca_file;  ///< PEM; empty: the authorities that the system trusts
  bool json = false;
};

struct listing {
  boost::json::array items;
  std::int64_t total = 0;
};

class remote_api {
 public:
  [[nodiscard]] static core::result<remote_api> open(const connection_options& options);
  remote_api(remote_api&&) noexcept;
  ~remote_api();

  /// `path` follows `/api/v1`. Answers of status 400 and above are errors with the server's code and text.
  [[nodiscard]] core::result<boost::json::object> get(const std::string& path);
  [[nodiscard]] core::result<boost::json::object> post(const std::string& path, const boost::json::object& body);
  [[nodiscard]] core::result<boost::json::object> remove(const std::string& path);
  /// A GET of a document, byte by byte.
  [[nodiscard]] core::result<std::string> document(const std::string& path);
  /// The first `most` of a list, which is asked for page by page.
  [[nodiscard]] core::result<listing> list(const std::string& path, std::int64_t most);

  /// `project`, or the server's first one where it is empty.
  [[nodiscard]] core::result<std::string> project_or_first(const std::string& project);

  [[nodiscard]] const std::string& url() const noexcept;
  [[nodiscard]] const std::string& token() const noexcept;

 private:
  explicit remote_api(std::unique_ptr<rest_client> http);
  [[nodiscard]] core::result<boost::json::object> ask(const std::string& method, const std::string& path,
                                                      const boost::json::object& body);

  std::unique_ptr<rest_client> http_;
};

/// Adds `name=value` to a path with or without a query; not where the value is empty.
void add_query(std::string& path, std::string_view name, std::string_view value);

}  // namespace troupe::app
