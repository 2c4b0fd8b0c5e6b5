// Everything that runs below this process. Only for a guard: it is the subreaper, so whoever loses its parent becomes its
// child, and nothing leaves the tree by forking twice or by a session of its own.
#pragma once

#include <cstddef>
#include <limits>

#include <sys/types.h>

namespace troupe::tools {

/// How many processes there are now, ended but unreaped ones too; no further than `enough`, since a tree may grow faster than
/// it is counted.
[[nodiscard]] std::size_t count_tree(std::size_t enough = std::numeric_limits<std::size_t>::max());
/// Sends `signal` to all of it but `spared` (0: nobody); how many got it. A process that is being forked may be missed.
std::size_t signal_tree(int signal, pid_t spared = 0);

/// Processes and threads of the user that this process runs as: what RLIMIT_NPROC counts.
[[nodiscard]] std::size_t count_tasks_of_user();

}  // namespace troupe::tools
