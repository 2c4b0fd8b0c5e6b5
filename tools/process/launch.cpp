#include "tools/process/launch.hpp"

#include "tools/process/guard_protocol.hpp"
#include "tools/process/sandbox.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::tools {

std::string message_of(int problem) { return std::generic_category().message(problem); }

namespace {

/// Above the numbers that the guard's own descriptors will have; or closed with errno set.
file_descriptor lifted(int fd) {
  if (fd < 0 || fd > guard_plan_file) return file_descriptor(fd);
  file_descriptor low(fd);
  return file_descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, guard_plan_file + 1));
}

/// Nothing in it: no descriptors are left.
struct two_ends {
  file_descriptor ours;
  file_descriptor theirs;
  [[nodiscard]] bool is_open() const { return ours.is_open() && theirs.is_open(); }
};
two_ends make_ends(int ours, int theirs) {
  two_ends out{lifted(ours), lifted(theirs)};
  ::fcntl(out.ours.get(), F_SETFL, O_NONBLOCK);
  return out;
}
two_ends make_pipe(bool we_write) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  return make_ends(ends[we_write ? 1 : 0], ends[we_write ? 0 : 1]);
}
two_ends make_control() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return {};
  return make_ends(ends[0], ends[1]);
}

std::string plan_text(const process_options& options, const std::string& program, const std::vector<std::string>& command) {
  bool is_sandboxed = options.sandbox != nullptr;
  guard_plan head;
  head.cpu_seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(options.limits.cpu.count(), 0));
  head.memory_bytes = options.limits.memory_bytes;
  head.file_bytes = options.limits.file_bytes;
  head.open_files = options.limits.open_files;
  head.processes = options.limits.processes;
  head.niceness = options.limits.niceness;
  head.arguments = static_cast<std::uint32_t>(command.size());
  head.variables = static_cast<std::uint32_t>(options.environment.size());
  head.is_sandboxed = is_sandboxed ? 1 : 0;
  std::string out(sizeof head, '\0');
  std::copy_n(reinterpret_cast<const char*>(&head), sizeof head, out.data());
  // What is below a sandbox's folder exists for bubblewrap, which goes there itself.
  out.append(is_sandboxed ? "/" : options.folder.native()) += '\0';
  out.append(program) += '\0';
  for (const auto& text : command) out.append(text) += '\0';
  for (const auto& [name, value] : options.environment) out.append(name).append("=").append(value) += '\0';
  return out;
}

file_descriptor plan_file(const std::string& text) {
  auto file = lifted(::memfd_create("troupe-guard", MFD_CLOEXEC));
  std::size_t written = 0;
  while (file.is_open() && written < text.size()) {
    auto n = ::write(file.get(), text.data() + written, text.size() - written);
    if (n < 0) return {};
    written += static_cast<std::size_t>(n);
  }
  return file;
}

/// Why these cannot be passed on, or empty.
std::string defect_of(const process_options& options) {
  if (options.command.empty()) return "no program was named";
  const auto& name = options.command.front();
  for (const auto& text : options.command)
    if (text.find('\0') != std::string::npos) return "an argument of `" + name + "` holds a NUL character";
  for (const auto& [variable, value] : options.environment)
    if (variable.empty() || variable.find_first_of(std::string_view("=\0", 2)) != std::string::npos ||
        value.find('\0') != std::string::npos)
      return "the variable `" + variable + "` of `" + name +
             "` cannot be set: names hold no `=`, and nothing holds a NUL character";
  return {};
}

/// Closes what is the guard's; `out` gets the rest.
std::string spawn_guard(const process_host& host, const std::string& plan, bool joins_output, launched& out) {
  auto file = plan_file(plan);
  auto control = make_control();
  auto input = make_pipe(true), output = make_pipe(false);
  auto errors = joins_output ? two_ends{} : make_pipe(false);
  if (!file.is_open() || !control.is_open() || !input.is_open() || !output.is_open() || (!joins_output && !errors.is_open()))
    return "no program can be started: " + message_of(errno) +
           (errno == EMFILE || errno == ENFILE ? "; raise the limit of open files (`ulimit -n`)" : "");

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  std::array descriptors{input.theirs.get(), output.theirs.get(), (joins_output ? output : errors).theirs.get(),
                         control.theirs.get(), file.get()};
  for (std::size_t i = 0; i < descriptors.size(); ++i)
    ::posix_spawn_file_actions_adddup2(&actions, descriptors[i], static_cast<int>(i));
  ::posix_spawn_file_actions_addclosefrom_np(&actions, guard_plan_file + 1);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  auto guard = host.guard;
  std::vector<char*> arguments;
  for (auto& argument : guard) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  char* no_variables[] = {nullptr};
  auto problem = ::posix_spawn(&out.guard, arguments[0], &actions, &attributes, arguments.data(), no_variables);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) return "the guard `" + host.guard.front() + "` did not start: " + message_of(problem);
  out.control = std::move(control.ours);
  out.input = std::move(input.ours);
  out.output = std::move(output.ours);
  out.errors = std::move(errors.ours);
  return {};
}

}  // namespace

launched launch(const process_host& host, const process_options& options) {
  launched out;
  out.trouble = host.guard.empty() ? "this server has no guard to run programs with" : defect_of(options);
  if (!out.trouble.empty()) return out;
  const auto& name = options.command.front();
  auto path = options.environment.find("PATH");
  auto folders = path == options.environment.end() ? std::string() : path->second;
  auto program = find_program(name, folders);
  auto bubblewrap = options.sandbox ? find_bubblewrap() : std::nullopt;
  if (!program)
    out.trouble = name.starts_with('/') ? "`" + name + "` is not there, or may not be run"
                                        : "there is no program `" + name + "` in " + folders;
  else if (options.sandbox && !bubblewrap)
    out.trouble = "bubblewrap is not installed (package `bubblewrap`)";
  if (!out.trouble.empty()) return out;

  auto command = options.command;
  if (options.sandbox) {
    command.front() = program->native();
    command = sandbox_command(*bubblewrap, *options.sandbox, options.folder, std::move(command));
    program = bubblewrap;
  }
  auto plan = plan_text(options, program->native(), command);
  if (plan.size() > max_plan_bytes)
    out.trouble = "the arguments of `" + name + "` are too long";
  else
    out.trouble = spawn_guard(host, plan, options.joins_output, out);
  return out;
}

}  // namespace troupe::tools
