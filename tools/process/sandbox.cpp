#include "tools/process/sandbox.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::tools {

namespace fs = std::filesystem;

namespace {

/// Of /etc only what programs need to start, to name users, to know the time and to trust certificates; no keys, no passwords.
constexpr std::array etc_files{"/etc/alternatives", "/etc/ca-certificates", "/etc/fonts",      "/etc/group",
                               "/etc/ld.so.cache",  "/etc/localtime",       "/etc/mime.types", "/etc/passwd",
                               "/etc/ssl/certs",    "/etc/ssl/openssl.cnf", "/etc/timezone"};
constexpr std::array etc_network_files{"/etc/gai.conf",    "/etc/host.conf", "/etc/hosts",   "/etc/nsswitch.conf",
                                       "/etc/resolv.conf", "/etc/protocols", "/etc/services"};
constexpr std::array system_folders{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
/// Memory that files in these may take; it is not counted against the program's own.
constexpr auto temporary_bytes = "134217728";
constexpr auto shared_memory_bytes = "67108864";

bool may_run(const fs::path& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(file.c_str(), X_OK) == 0;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

bool is_of_system(const fs::path& path) {
  if (is_below(path.native(), "/usr")) return true;
  for (auto* folder : system_folders)
    if (is_below(path.native(), folder)) return true;
  return false;
}

}  // namespace

std::optional<fs::path> find_program(std::string_view name, std::string_view path) {
  if (name.starts_with('/')) return may_run(name) ? std::optional<fs::path>(name) : std::nullopt;
  if (name.empty() || name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos)
    return std::nullopt;
  while (!path.empty()) {
    auto colon = path.find(':');
    auto folder = path.substr(0, colon);
    path = colon == std::string_view::npos ? std::string_view() : path.substr(colon + 1);
    if (!folder.starts_with('/')) continue;
    if (auto file = fs::path(folder) / name; may_run(file)) return file;
  }
  return std::nullopt;
}

std::optional<fs::path> find_bubblewrap() { return find_program("bwrap", program_path); }

std::vector<std::string> sandbox_command(const fs::path& bubblewrap, const sandbox_options& options, const fs::path& folder,
                                         std::vector<std::string> command) {
  std::vector<std::string> out{bubblewrap.native(), "--unshare-user", "--unshare-all"};
  auto add = [&](std::initializer_list<std::string> more) { out.insert(out.end(), more); };
  auto show = [&](const fs::path& path) { add({"--ro-bind-try", path.native(), path.native()}); };

  if (options.network) add({"--share-net"});
  add({"--disable-userns", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr"});
  std::error_code problem;
  for (auto* name : system_folders) {
    if (fs::is_symlink(name, problem))
      add({"--symlink", fs::read_symlink(name, problem).native(), name});
    else
      show(name);
  }
  for (auto* name : etc_files) show(name);
  if (options.network)
    for (auto* name : etc_network_files) show(name);
  add({"--proc", "/proc", "--dev", "/dev", "--size", shared_memory_bytes, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"});
  add({"--size", temporary_bytes, "--tmpfs", "/tmp", "--symlink", "../tmp", "/var/tmp"});

  // A folder that holds the writable one would show what belongs to others beside it.
  for (const auto& named : options.readable) {
    auto path = named.lexically_normal();
    if (!path.has_filename()) path = path.parent_path();  // `/a/` is `/a`
    if (!is_of_system(path) && path.has_relative_path() && !is_below(options.writable.native(), path.native())) show(path);
  }
  fs::path program = command.front();
  auto target = fs::canonical(program, problem);
  if (!is_of_system(program)) show(program);
  if (!problem && target != program && !is_of_system(target)) show(target);

  std::string workspace(sandbox_folder);
  auto inside = folder.lexically_normal().lexically_relative(options.writable.lexically_normal());
  if (options.writable.empty())
    add({"--dir", workspace});
  else
    add({"--bind", options.writable.native(), workspace});
  if (!inside.empty() && inside != "." && *inside.begin() != "..") workspace = (fs::path(workspace) / inside).native();
  add({"--chdir", workspace, "--remount-ro", "/", "--"});
  out.insert(out.end(), std::make_move_iterator(command.begin()), std::make_move_iterator(command.end()));
  return out;
}

sandbox_probe probe_sandbox() {
  auto bubblewrap = find_bubblewrap();
  if (!bubblewrap)
    return {false,
            "bubblewrap is not installed (package `bubblewrap`, its program `bwrap` in " + std::string(program_path) + ")"};
  auto truth = find_program("true", program_path);
  int ends[2];
  if (!truth || ::pipe2(ends, O_CLOEXEC) != 0) return {false, "bubblewrap could not be tried"};

  auto command = sandbox_command(*bubblewrap, {}, "/", {truth->native()});
  std::vector<char*> arguments;
  for (auto& text : command) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  char* no_variables[] = {nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  pid_t pid = -1;
  auto failed = ::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), no_variables);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string said;
  auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  for (bool ended = failed != 0; !ended;) {
    pollfd readable{ends[0], POLLIN, 0};
    auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now()).count();
    char buffer[1024];
    ssize_t got = 0;
    if (left <= 0 || ::poll(&readable, 1, static_cast<int>(left)) == 0)
      ::kill(pid, SIGKILL);
    else
      got = ::read(ends[0], buffer, sizeof buffer);
    if (got > 0 && said.size() < 1'000) said.append(buffer, static_cast<std::size_t>(got));
    ended = got == 0 || (got < 0 && errno != EINTR);
  }
  ::close(ends[0]);
  int status = -1;
  if (failed == 0) ::waitpid(pid, &status, 0);
  if (failed == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {true, {}};
  while (said.ends_with('\n')) said.pop_back();
  if (said.empty()) said = failed != 0 ? std::generic_category().message(failed) : "it ended without a word";
  return {false, "bubblewrap does not work here: " + said +
                     " (version 0.8 or newer and user namespaces are needed; see kernel.apparmor_restrict_unprivileged_userns "
                     "and user.max_user_namespaces, and in a container its security options)"};
}

}  // namespace troupe::tools
