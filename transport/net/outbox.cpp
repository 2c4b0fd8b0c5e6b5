#include "transport/net/outbox.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace troupe::transport {

namespace {

constexpr int calls_per_turn = 4;
/// A quiet connection keeps no more room than this; bursts up to it need no allocation.
constexpr std::size_t spare_pieces = 16;

}  // namespace

void outbox::push(bytes piece) {
  if (sealed_ || !piece || piece->empty()) return;
  size_ += piece->size();
  pieces_.push_back(std::move(piece));
}

void outbox::discard_unsent() {
  const auto keep = offset_ > 0 ? head_ + 1 : head_;
  for (auto i = keep; i < pieces_.size(); ++i) size_ -= pieces_[i]->size();
  pieces_.resize(keep);
}

outbox::written outbox::write_to(int fd) {
  written done;
  for (int turn = 0; turn < calls_per_turn && size_ > 0; ++turn) {
    std::array<iovec, IOV_MAX> parts;
    std::size_t count = 0;
    std::size_t wanted = 0;
    for (auto i = head_; i < pieces_.size() && count < parts.size(); ++i) {
      const auto skip = i == head_ ? offset_ : 0;
      // sendmsg does not write through the pointer; iovec has no const form.
      parts[count++] = {const_cast<char*>(pieces_[i]->data() + skip), pieces_[i]->size() - skip};
      wanted += pieces_[i]->size() - skip;
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const auto sent = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    ++done.calls;
    if (sent < 0) {
      if (errno == EINTR) continue;
      done.result = errno == EAGAIN ? outcome::blocked : outcome::failed;
      return done;
    }
    consume(static_cast<std::size_t>(sent));
    done.bytes += static_cast<std::size_t>(sent);
    if (static_cast<std::size_t>(sent) < wanted) {
      done.result = outcome::blocked;
      return done;
    }
  }
  done.result = size_ == 0 ? outcome::empty : outcome::more;
  return done;
}

void outbox::consume(std::size_t count) {
  size_ -= count;
  while (count > 0) {
    const auto rest = pieces_[head_]->size() - offset_;
    if (count < rest) {
      offset_ += count;
      break;
    }
    count -= rest;
    pieces_[head_].reset();
    ++head_;
    offset_ = 0;
  }
  if (head_ == pieces_.size()) {
    pieces_.clear();
    head_ = 0;
    if (pieces_.capacity() > spare_pieces) std::vector<bytes>().swap(pieces_);
  } else if (head_ >= 64 && head_ * 2 >= pieces_.size()) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

}  // namespace troupe::transport
