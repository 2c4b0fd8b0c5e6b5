// The guard: a process between us and a program. `troupe guard …` is it; nobody else calls this. It becomes a subreaper, starts
// the program in its own process group with its limits, and kills everything below it when the program is to stop, when its
// control pipe closes (we are gone), or when the program has ended and left children behind.
#pragma once

namespace troupe::tools {

/// `argv` as process.cpp writes it. Returns the exit status of the guard.
int guard_main(int argc, char** argv);

}  // namespace troupe::tools
