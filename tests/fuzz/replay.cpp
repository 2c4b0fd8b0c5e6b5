// The main of all fuzz targets where there is no libFuzzer: plays the corpus, then inputs made from it by a seeded generator,
// so that two runs do the same. Arguments: a target, a folder of inputs, and for how many milliseconds to go on with made ones.
// An input that crashes or hangs is left in the file `crash` of the working folder.
#include "tests/fuzz/targets.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr std::size_t longest_input = 16 << 10;
constexpr unsigned longest_seconds = 20;  ///< of one input, on a busy machine

std::string current;

/// Runs in a signal handler: system calls only.
extern "C" void leave_input(int signal) {
  const int fd = ::open("crash", O_CREAT | O_TRUNC | O_WRONLY, 0644);
  if (fd >= 0 && ::write(fd, current.data(), current.size()) >= 0) {
    constexpr std::string_view told = "fuzz: the input is in the file `crash`\n";
    if (::write(STDERR_FILENO, told.data(), told.size()) < 0) ::_exit(2);
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void play(const troupe::fuzzing::target& target, std::string input) {
  current = std::move(input);
  ::alarm(longest_seconds);
  // A copy of its own size, so that reading beyond the end is seen by sanitizers.
  const std::vector<std::uint8_t> bytes(current.begin(), current.end());
  target.entry(bytes.data(), bytes.size());
}

class mutator {
 public:
  explicit mutator(const std::vector<std::string>& seeds) : seeds_(seeds) {}

  std::string next() {
    auto out = seeds_[below(seeds_.size())];
    for (auto edits = 1 + below(6); edits > 0; --edits) edit(out);
    if (out.size() > longest_input) out.resize(longest_input);
    return out;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  char any_byte() {
    constexpr std::string_view telling("\x00\x01\x7f\x80\xff\r\n\t \"\\{}[](),:;=%/&?#+-.0129aAeE\xc3\xe2\xf0", 43);
    return below(2) == 0 ? telling[below(telling.size())] : static_cast<char>(random_());
  }
  void edit(std::string& text) {
    const auto at = below(text.size() + 1);
    const auto length = below(std::min<std::size_t>(text.size() - at, 32) + 1);
    const auto& other = seeds_[below(seeds_.size())];
    const auto from = below(other.size() + 1);
    switch (below(7)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        return;
      case 1:
        if (at < text.size()) text[at] = any_byte();
        return;
      case 2:
        text.insert(at, 1, any_byte());
        return;
      case 3:
        text.erase(at, length);
        return;
      case 4:
        text.insert(at, text.substr(at, length));
        return;
      case 5:
        text.insert(at, other.substr(from, below(64)));
        return;
      default:
        text = text.substr(0, at) + other.substr(from);
    }
  }

  const std::vector<std::string>& seeds_;
  std::mt19937 random_{20240607};
};

}  // namespace

int main(int count, char** words) {
  const auto all = troupe::fuzzing::targets();
  const auto target =
      count == 4 ? std::find_if(all.begin(), all.end(), [&](auto& t) { return t.name == words[1]; }) : all.end();
  if (target == all.end()) {
    std::fprintf(stderr, "usage: %s TARGET CORPUS MILLISECONDS\nTARGET is one of:\n", words[0]);
    for (const auto& known : all) std::fprintf(stderr, "  %s\n", std::string(known.name).c_str());
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(words[2]))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> seeds;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  if (seeds.empty()) {
    std::fprintf(stderr, "fuzz: no inputs in %s\n", words[2]);
    return 2;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) std::signal(signal, leave_input);
  play(*target, {});
  for (const auto& seed : seeds) play(*target, seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(std::stol(words[3]));
  mutator made(seeds);
  std::size_t played = 0;
  for (; std::chrono::steady_clock::now() < end; ++played) play(*target, made.next());
  std::printf("%zu seeds, %zu made inputs\n", seeds.size(), played);
  return 0;
}
