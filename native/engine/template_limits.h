#pragma once

#include <chrono>
#include <cstdint>

#include "jinja/lexer.h"
#include "jinja/runtime.h"

namespace nudging {

/// A chat template is a program out of a downloaded file, and llama.cpp's Jinja engine runs it without limits. These are ours.
///
/// Bounded: the depth of the syntax tree (the parser, the interpreter and the destructors recurse over it), time (asked in every round of a
/// loop and every call of a macro), recursion of macros, the length of `range`, division by zero in the `divisibleby` test.
/// Not bounded, because nothing of ours runs in between: memory that single expressions take (`'x' * 1000000000000`, doubling a string forty
/// times), and values that contain themselves when they are printed.
namespace template_limits {

/// How long one rendering may take.
constexpr auto most_time = std::chrono::seconds(5);

/// Throws std::runtime_error if the template nests too deep to be parsed, or would crash the interpreter.
void check_tokens(const jinja::lexer_result& source);

/// Puts a check into every loop and macro of the program. They throw once the thread's `Watch` finds a limit passed.
void add_checks(const jinja::program& program);

/// Counts time and stack from its construction, for the checks that run in its thread while it lives. One a thread at a time.
class Watch {
 public:
  Watch();
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// Throws std::runtime_error if a limit is passed.
  void check() const;

 private:
  std::chrono::steady_clock::time_point time_;
  std::uintptr_t stack_;
};

/// The `range` of templates: as Jinja's, but at most 100,000 numbers.
jinja::value range(const jinja::func_args& arguments);

}  // namespace template_limits

}  // namespace nudging
