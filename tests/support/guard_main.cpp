// What `troupe guard` is, without the rest of troupe.
#include "tools/process/guard.hpp"

int main(int argc, char** argv) { return troupe::tools::guard_main(argc, argv); }
