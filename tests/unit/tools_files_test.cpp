#include "tests/unit/tools_files_fixture.hpp"
#include "tools/workspace.hpp"

#include <boost/json/parse.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::testing;

namespace {

using fixture = files_fixture;

/// Every tool with `path` in the place of its path.
std::vector<std::pair<std::string, json::object>> calls_with(std::string_view path) {
  return {{"write_file", {{"path", path}, {"content", "x"}}},
          {"read_file", {{"path", path}}},
          {"edit_file", {{"path", path}, {"old", "s"}, {"new", "x"}}},
          {"grep_file", {{"pattern", "."}, {"file", path}}},
          {"delete_file", {{"path", path}}},
          {"list_files", {{"path", path}}}};
}

}  // namespace

TEST_CASE("files: what is written can be read, listed, searched and deleted", "[tools]") {
  fixture f;
  auto written = f.call("write_file", {{"path", "notes//./plan.md"}, {"content", "one\ntwo\nthree ñ\n"}});
  REQUIRE(written.ok);
  CHECK(json::parse(written.output) == json::value({{"path", "notes/plan.md"}, {"size", 17}}));
  CHECK(f.call("read_file", {{"path", "notes/plan.md"}}).output == "one\ntwo\nthree ñ\n");
  CHECK(f.call("list_files", {}).output == "notes/\n");
  CHECK(f.call("list_files", {{"path", "notes"}}).output == "plan.md (17 bytes)\n");
  CHECK(f.call("grep_file", {{"pattern", "^t"}, {"file", "notes/plan.md"}}).output == "2: two\n3: three ñ\n");
  CHECK(f.call("delete_file", {{"path", "notes/plan.md"}}).output == "Deleted notes/plan.md.");
  CHECK_FALSE(fs::exists(f.home() / "notes/plan.md"));
  CHECK(f.call("list_files", {{"path", "notes/"}}).output == "The folder is empty.");
}

TEST_CASE("files: a workspace that does not exist is made on first use", "[tools]") {
  fixture f;
  fs::remove_all(f.home());
  CHECK(f.call("list_files", {}).output == "The folder is empty.");
  CHECK(f.call("write_file", {{"path", "a"}, {"content", ""}}).ok);
  CHECK(f.content_of(f.home() / "a").empty());
}

TEST_CASE("files: writing again replaces the content and leaves nothing else", "[tools]") {
  fixture f;
  for (const char* content : {"first, longer", "second"})
    REQUIRE(f.call("write_file", {{"path", "a.txt"}, {"content", content}}).ok);
  CHECK(f.content_of(f.home() / "a.txt") == "second");
  CHECK(std::distance(fs::directory_iterator(f.home()), fs::directory_iterator()) == 1);
}

TEST_CASE("files: paths that leave the workspace are failed results of every tool", "[tools]") {
  fixture f;
  fs::create_directory(f.home() / "sub");
  auto absolute = (f.base / "secret.txt").string();
  struct row {
    std::string path;
    std::string_view reason;
  };
  for (const auto& [path, reason] : std::vector<row>{{absolute, "absolute path"},
                                                     {"/etc/passwd", "absolute path"},
                                                     {"../secret.txt", "`..` is not allowed"},
                                                     {"sub/../../secret.txt", "`..` is not allowed"},
                                                     {"sub/..", "`..` is not allowed"},
                                                     {std::string("a\0b", 3), "NUL"},
                                                     {"a\nb", "control characters"},
                                                     {"a\xff", "not UTF-8"},
                                                     {".troupe-tmp-1", "reserved name"},
                                                     {std::string(2000, 'a'), "too long"},
                                                     {std::string(300, 'a'), "longer than the file system takes"}}) {
    for (const auto& [tool, arguments] : calls_with(path)) {
      INFO(tool << " " << path.substr(0, 40));
      CHECK(has(f.failure(tool, arguments), reason));
    }
  }
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "d/";
  CHECK(has(f.failure("write_file", {{"path", deep + "f"}, {"content", ""}}), "more than 32 folders"));
  CHECK(f.content_of(f.base / "secret.txt") == "secret");
}

TEST_CASE("files: symbolic links are never followed, wherever they lead", "[tools]") {
  fixture f;
  f.put(f.home() / "real.txt", "inside");
  fs::create_symlink(f.base / "secret.txt", f.home() / "out");
  fs::create_symlink("real.txt", f.home() / "in");
  fs::create_symlink("nowhere", f.home() / "dangling");
  fs::create_directory_symlink(f.base, f.home() / "up");
  fs::create_directory_symlink("/proc/self/root", f.home() / "magic");
  fs::create_directory_symlink("/proc/self/fd", f.home() / "fds");
  for (const char* path : {"out", "in", "dangling", "up/secret.txt", "magic/etc/passwd", "up/new.txt", "fds/0"})
    for (const auto& [tool, arguments] : calls_with(path)) {
      if (tool == "list_files") continue;
      INFO(tool << " " << path);
      auto text = f.failure(tool, arguments);
      // A link in the middle is ENOTDIR where a folder was asked for.
      bool told = text.find("symbolic link") != std::string::npos || text.find("not a folder") != std::string::npos;
      CHECK(told);
    }
  CHECK_FALSE(f.call("list_files", {{"path", "up"}}).ok);
  CHECK(has(f.call("list_files", {}).output, "out (symbolic link, not followed)\n"));
  CHECK(f.content_of(f.base / "secret.txt") == "secret");
  CHECK_FALSE(fs::exists(f.base / "new.txt"));
  CHECK(fs::is_symlink(f.home() / "out"));
}

TEST_CASE("files: folders, pipes, sockets and devices are not files", "[tools]") {
  fixture f;
  fs::create_directory(f.home() / "folder");
  REQUIRE(::mkfifo((f.home() / "pipe").c_str(), 0600) == 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto name = (f.home() / "socket").string();
  REQUIRE(name.size() < sizeof address.sun_path);
  name.copy(address.sun_path, name.size());
  tools::file_descriptor server(::socket(AF_UNIX, SOCK_STREAM, 0));
  REQUIRE(::bind(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  std::vector<std::string> others{"pipe", "socket"};
  // A device node takes privileges that not every machine gives.
  if (::mknod((f.home() / "device").c_str(), S_IFCHR | 0600, makedev(1, 5)) == 0) others.emplace_back("device");
  for (const auto& path : others)
    for (const auto& [tool, arguments] : calls_with(path)) {
      INFO(tool << " " << path);
      auto text = f.failure(tool, arguments);
      CHECK(has(text, tool == "list_files"                       ? "is not a folder"
                      : text.find("denied") != std::string::npos ? "denied"
                                                                 : "not a regular file"));
      CHECK(fs::exists(f.home() / path));
    }
  for (const char* path : {"folder", "folder/", ".", ""})
    for (const auto& [tool, arguments] : calls_with(path)) {
      if (tool == "list_files" || tool == "grep_file") continue;
      INFO(tool << " " << path);
      CHECK(has(f.failure(tool, arguments), path == std::string("folder") ? "is a folder, not a file" : "not a file"));
    }
  f.put(f.home() / "file", "x");
  CHECK(has(f.failure("list_files", {{"path", "file"}}), "is not a folder"));
  CHECK(has(f.failure("write_file", {{"path", "file/below"}, {"content", "x"}}), "not a folder"));
}

TEST_CASE("files: what is not there is named", "[tools]") {
  fixture f;
  CHECK(f.failure("read_file", {{"path", "no/such.txt"}}) == "there is no `no/such.txt` in the workspace");
  CHECK(f.failure("delete_file", {{"path", "no.txt"}}) == "there is no `no.txt` in the workspace");
  CHECK(f.failure("list_files", {{"path", "no"}}) == "there is no `no` in the workspace");
}

TEST_CASE("files: writing keeps the permissions of a file", "[tools]") {
  fixture f;
  f.put(f.home() / "script", "echo 1\n");
  fs::permissions(f.home() / "script", fs::perms(0750));
  CHECK(f.call("edit_file", {{"path", "script"}, {"old", "1"}, {"new", "2"}}).ok);
  CHECK(fs::status(f.home() / "script").permissions() == fs::perms(0750));
  CHECK(f.call("write_file", {{"path", "script"}, {"content", "echo 3\n"}}).ok);
  CHECK(fs::status(f.home() / "script").permissions() == fs::perms(0750));
}

TEST_CASE("files: a hard link is not read, and writing or deleting it leaves its other names alone", "[tools]") {
  fixture f;
  fs::create_hard_link(f.base / "secret.txt", f.home() / "linked");
  CHECK(has(f.failure("read_file", {{"path", "linked"}}), "is a hard link"));
  CHECK(has(f.failure("grep_file", {{"pattern", "s"}, {"file", "linked"}}), "is a hard link"));
  CHECK(has(f.failure("edit_file", {{"path", "linked"}, {"old", "secret"}, {"new", "x"}}), "is a hard link"));
  CHECK(has(f.call("grep_file", {{"pattern", "s"}, {"file", "."}}).output, "1 files were not searched"));
  CHECK(f.call("write_file", {{"path", "linked"}, {"content", "mine"}}).ok);
  CHECK(f.content_of(f.base / "secret.txt") == "secret");
  CHECK(f.call("read_file", {{"path", "linked"}}).output == "mine");
  fs::create_hard_link(f.base / "secret.txt", f.home() / "again");
  CHECK(f.call("delete_file", {{"path", "again"}}).ok);
  CHECK(f.content_of(f.base / "secret.txt") == "secret");
}

TEST_CASE("files: a workspace takes so many bytes and files, and can be tidied up when it is full", "[tools]") {
  fixture f;
  f.put(f.home() / "big", "x");
  fs::resize_file(f.home() / "big", tools::max_workspace_bytes - 10);
  CHECK(f.call("write_file", {{"path", "small"}, {"content", "0123456789"}}).ok);
  CHECK(has(f.failure("write_file", {{"path", "one"}, {"content", "x"}}), "would hold more than 268435456 bytes"));
  CHECK(has(f.failure("write_file", {{"path", "new/deep/one"}, {"content", "x"}}), "delete files first"));
  CHECK_FALSE(fs::exists(f.home() / "new"));
  CHECK(has(f.failure("edit_file", {{"path", "small"}, {"old", "9"}, {"new", "99"}}), "would hold more"));
  CHECK(f.call("edit_file", {{"path", "small"}, {"old", "9"}, {"new", "8"}}).ok);
  CHECK(f.call("delete_file", {{"path", "big"}}).ok);
  CHECK(f.call("write_file", {{"path", "one"}, {"content", "x"}}).ok);
  fs::create_directory(f.home() / "many");
  for (std::size_t i = 3; i < tools::max_workspace_entries; ++i) f.put(f.home() / "many" / std::to_string(i), "");
  CHECK(has(f.failure("write_file", {{"path", "two"}, {"content", ""}}), "holds 10000 files and folders"));
  CHECK(f.call("write_file", {{"path", "one"}, {"content", "longer"}}).ok);
  CHECK(f.call("delete_file", {{"path", "small"}}).ok);
  CHECK(f.call("write_file", {{"path", "two"}, {"content", ""}}).ok);
}

TEST_CASE("files: a folder is listed with all below, up to a bound", "[tools]") {
  fixture f;
  for (const char* path : {"a/b/deep.txt", "a/x.txt", "z.txt"})
    REQUIRE(f.call("write_file", {{"path", path}, {"content", "1"}}).ok);
  fs::create_directory_symlink(f.base, f.home() / "a/up");
  CHECK(f.call("list_files", {{"recursive", true}}).output ==
        "a/\na/b/\na/b/deep.txt (1 bytes)\na/up (symbolic link, not followed)\na/x.txt (1 bytes)\nz.txt (1 bytes)\n");
  CHECK(f.call("list_files", {{"path", "a/b/"}, {"recursive", true}}).output == "a/b/deep.txt (1 bytes)\n");
  CHECK(f.call("list_files", {{"path", "a"}, {"recursive", false}}).output ==
        "b/\nup (symbolic link, not followed)\nx.txt (1 bytes)\n");
  for (int i = 0; i < 1'010; ++i) f.put(f.home() / "a/b" / std::to_string(i), "");
  CHECK(has(f.call("list_files", {{"recursive", true}}).output, "only 1000 entries are listed"));
  auto deep = f.home();
  for (int i = 0; i < 60; ++i) fs::create_directory(deep /= "d");
  fs::remove_all(f.home() / "a");
  CHECK(has(f.call("list_files", {{"recursive", true}}).output, "… and more"));
}

TEST_CASE("files: names that no path may have are shown, and do not stop a search", "[tools]") {
  fixture f;
  f.put(f.home() / "a\nb", "word");
  f.put(f.home() / "c\xff", "word");
  f.put(f.home() / "good", "word");
  auto listed = f.call("list_files", {}).output;
  CHECK(listed == "`a?b` (no usable name) (4 bytes)\n`c?` (no usable name) (4 bytes)\ngood (4 bytes)\n");
  CHECK(f.call("grep_file", {{"pattern", "word"}, {"file", "."}}).output ==
        "good:1: word\n2 files were not searched: not text, too large, or not to be opened.\n");
}

TEST_CASE("files: a long folder is listed up to its bound", "[tools]") {
  fixture f;
  for (int i = 0; i < 1010; ++i) f.put(f.home() / std::to_string(i), "");
  CHECK(has(f.call("list_files", {}).output, "only 1000 entries are listed"));
}

TEST_CASE("files: a folder swapped for a link meanwhile never lets a write out", "[tools]") {
  fixture f;
  fs::create_directory(f.base / "outside");
  fs::create_directory(f.home() / "real");
  fs::create_directory_symlink(f.base / "outside", f.home() / "link");
  auto real = (f.home() / "real").string(), link = (f.home() / "link").string();
  std::atomic<bool> done{false};
  std::thread swapper([&] {
    while (!done) ::syscall(SYS_renameat2, AT_FDCWD, real.c_str(), AT_FDCWD, link.c_str(), 2U /* RENAME_EXCHANGE */);
  });
  int written = 0;
  for (int i = 0; i < 300; ++i) {
    written += f.call("write_file", {{"path", "real/x"}, {"content", "x"}}).ok ? 1 : 0;
    (void)f.call("edit_file", {{"path", "real/x"}, {"old", "x"}, {"new", "y"}});
    (void)f.call("grep_file", {{"pattern", "x"}, {"file", "."}});
  }
  done = true;
  swapper.join();
  INFO(written << " of 300 writes found the folder");
  CHECK(fs::is_empty(f.base / "outside"));
}

TEST_CASE("files: a kernel without openat2 is refused with its reason", "[tools]") {
  fixture f;
  auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    sock_filter code[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},  // the number of the system call
                          {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_openat2},
                          {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
                          {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    sock_fprog program{4, code};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
      ::_exit(3);
    auto opened = tools::workspace::open(f.home());
    ::_exit(!opened && opened.error().text.find("no openat2") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
