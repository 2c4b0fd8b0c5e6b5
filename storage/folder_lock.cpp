#include "storage/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace troupe::storage {

using core::errc;
using core::error;

namespace {

std::string holder_of(int fd) {
  char text[32];
  auto size = pread(fd, text, sizeof text - 1, 0);
  return size > 0 ? " (process " + std::string(text, static_cast<std::size_t>(size)) + ")" : std::string();
}

}  // namespace

core::result<folder_lock> folder_lock::take(const std::string& folder) {
  auto subject = "data folder `" + folder + "`";
  std::error_code ec;
  if (std::filesystem::create_directories(folder, ec) && !ec)
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, ec);
  if (ec)
    return error{errc::storage_unavailable, subject + " cannot be made: " + ec.message() + "; choose another with --data"};

  auto path = folder + "/lock";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return error{errc::storage_unavailable, subject + " cannot be written: " + std::strerror(errno) +
                                                "; change its permissions or choose another with --data"};
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    auto text = errno == EWOULDBLOCK ? subject + " is in use by another process" + holder_of(fd) +
                                           "; stop that one or choose another folder with --data"
                                     : subject + " cannot be locked: " + std::strerror(errno);
    ::close(fd);
    return error{errc::storage_unavailable, std::move(text)};
  }
  // For the text above only: a process that cannot write it still holds the lock.
  auto pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) == 0) [[maybe_unused]]
    auto written = ::pwrite(fd, pid.data(), pid.size(), 0);
  return folder_lock(fd);
}

folder_lock::~folder_lock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace troupe::storage
