#include <exception>
#include <iostream>
#include <string>

#include "check.h"

/// nudge_test [FILE]: runs the tests of one source file (named without .cpp), or all.
int main(int count, char** arguments) {
  const std::string wanted = count > 1 ? "/" + std::string(arguments[1]) + ".cpp" : "";
  int run = 0;
  int failed = 0;
  for (const check::Test& test : check::tests()) {
    if (!wanted.empty() && !test.file.ends_with(wanted)) continue;
    ++run;
    check::failures = 0;
    try {
      test.body();
    } catch (const std::exception& error) {
      ++check::failures;
      std::cout << test.file << ": threw " << error.what() << "\n";
    }
    if (check::failures == 0) continue;
    ++failed;
    std::cout << "FAILED " << test.name << "\n";
  }
  std::cout << run - failed << " passed, " << failed << " failed\n";
  return run == 0 || failed > 0 ? 1 : 0;
}
