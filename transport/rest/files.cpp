// Files of a session over REST (PROTOCOLS §1.6): upload, list, download.
#include "transport/rest/rest_handlers.hpp"

#include "transport/net/http_target.hpp"
#include "transport/rest/attachments.hpp"
#include "transport/rest/multipart.hpp"
#include "transport/rest/rest_json.hpp"

#include <algorithm>
#include <array>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::string_view any_bytes = "application/octet-stream";

/// Types that a browser only shows; everything else could run as a page of ours. Not SVG: it holds scripts.
constexpr std::array safe_types{
    std::string_view("image/png"),  std::string_view("image/jpeg"),      std::string_view("image/gif"),
    std::string_view("image/webp"), std::string_view("image/avif"),      std::string_view("image/bmp"),
    std::string_view("audio/mpeg"), std::string_view("audio/ogg"),       std::string_view("audio/wav"),
    std::string_view("audio/webm"), std::string_view("audio/mp4"),       std::string_view("audio/aac"),
    std::string_view("audio/flac"), std::string_view("application/pdf"), std::string_view("application/json"),
    std::string_view("text/plain"),
};

/// `filename` for old clients, `filename*` with everything (RFC 6266, RFC 5987).
std::string disposition_of(const std::string& name) {
  constexpr char hex[] = "0123456789ABCDEF";
  std::string plain;
  std::string encoded;
  for (char c : name) {
    auto byte = static_cast<unsigned char>(c);
    bool is_word =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
    plain += is_word || c == ' ' ? c : '_';
    if (is_word) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += hex[byte >> 4];
      encoded += hex[byte & 15];
    }
  }
  return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + encoded;
}

std::string_view essence_of(std::string_view content_type) {
  auto essence = content_type.substr(0, content_type.find(';'));
  while (essence.ends_with(' ')) essence.remove_suffix(1);
  return essence;
}

/// Stores one after the other; the answer tells all.
class upload : public std::enable_shared_from_this<upload> {
 public:
  upload(rest_call_ptr call, core::session_id session, std::vector<core::add_file> files)
      : call_(std::move(call)), session_(session), files_(std::move(files)) {}

  void next() {
    if (stored_.size() == files_.size()) return answer();
    call_->way().submit(session_, call_->principal(), std::move(files_[stored_.size()]),
                        [me = shared_from_this()](const core::result<core::command_reply>& r) {
                          if (!r) return me->fail(r.error());
                          me->stored_.push_back(attachment_json(std::get<core::file_stored>(*r).file));
                          me->next();
                        });
  }

 private:
  void fail(const core::error& e) {
    if (stored_.empty()) return call_->fail(e);
    call_->fail_with(e, {{"stored", std::move(stored_)}});
  }
  void answer() {
    auto out = stored_.front().as_object();
    if (stored_.size() > 1) out["files"] = std::move(stored_);
    call_->answer(201, std::move(out));
  }

  rest_call_ptr call_;
  core::session_id session_;
  std::vector<core::add_file> files_;
  json::array stored_;
};

/// The files of a form; on none, or on a body that cannot be read, the call is answered.
std::optional<std::vector<core::add_file>> files_of_form(const rest_call_ptr& call) {
  auto parts = parse_form_data(call->request.header("content-type"), call->request.body);
  if (!parts) {
    call->fail(parts.error());
    return std::nullopt;
  }
  std::vector<core::add_file> out;
  for (const auto& p : *parts) {
    if (!p.has_filename) continue;
    out.push_back({p.filename.empty() ? "file" : p.filename, p.content_type.empty() ? std::string(any_bytes) : p.content_type,
                   std::make_shared<const std::string>(p.data)});
  }
  if (!out.empty()) return out;
  call->fail_field("file", "is required: a part with a filename");
  return std::nullopt;
}

core::add_file file_of_body(const rest_call_ptr& call) {
  auto type = call->request.header("content-type");
  auto name = call->request.query_value("name");
  name = name.substr(name.find_last_of("/\\") + 1);
  return {name.empty() ? "file" : std::move(name), std::string(type.empty() ? any_bytes : type),
          std::make_shared<const std::string>(std::move(call->request.body))};
}

bool admits_sizes(const rest_call_ptr& call, const std::vector<core::add_file>& files) {
  std::size_t most = call->config().sessions.max_file_bytes;
  for (const auto& f : files) {
    if (f.data->size() <= most) continue;
    call->fail({errc::payload_too_large, "The file has " + std::to_string(f.data->size()) + " bytes; at most " +
                                             std::to_string(most) + " are taken (limits.max_file_bytes)."});
    return false;
  }
  return true;
}

}  // namespace

/// POST /sessions/{id}/files: multipart/form-data with one or more files, or the bytes with their Content-Type and ?name=
void post_files(const rest_call_ptr& call) {
  call->find_session([call](const core::session_record& s) {
    std::vector<core::add_file> files;
    if (is_form_data(call->request.header("content-type"))) {
      auto read = files_of_form(call);
      if (!read) return;
      files = std::move(*read);
    } else {
      files.push_back(file_of_body(call));
    }
    if (admits_sizes(call, files)) std::make_shared<upload>(call, s.id, std::move(files))->next();
  });
}

/// GET /sessions/{id}/files
void get_files(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  call->find_session([call, w = *w](const core::session_record& s) {
    using files = std::vector<core::file_record>;
    call->ask<files>(core::list_files{s.id}, [call, w](const files& all) {
      json::array items;
      auto size = static_cast<std::int64_t>(all.size());
      for (auto i = w.offset; i < size && i - w.offset < w.limit; ++i)
        items.push_back(file_json(all[static_cast<std::size_t>(i)]));
      call->answer(200, list_of(std::move(items), size, w));
    });
  });
}

/// GET /sessions/{id}/files/{fileId}: the bytes.
void get_file(const rest_call_ptr& call) {
  auto text = call->parameter("fileId").substr(0, 64);
  auto id = core::file_id::parse(text);
  if (!id) return call->fail({errc::not_found, "File not found: " + text});
  call->find_session([call, id = *id, text](const core::session_record& s) {
    call->find<core::file_record>(core::get_file{s.id, id}, "File", text, [call](const core::file_record& f) {
      auto type = essence_of(f.file.content_type);
      auto is_type = [&](std::string_view safe) { return equal_ignoring_case(safe, type); };
      auto known = std::find_if(safe_types.begin(), safe_types.end(), is_type);
      http_response r;
      r.content_type = std::string(known == safe_types.end() ? any_bytes : *known);
      if (r.content_type == "text/plain") r.content_type += "; charset=utf-8";
      if (f.data) r.body = *f.data;
      r.headers = {{"Content-Disposition", disposition_of(f.file.name)},
                   {"X-Content-Type-Options", "nosniff"},
                   {"Content-Security-Policy", "sandbox; default-src 'none'"},
                   {"Cache-Control", "private, no-store"}};
      call->exchange->respond(std::move(r));
    });
  });
}

}  // namespace troupe::transport
