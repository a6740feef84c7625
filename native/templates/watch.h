#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace nudging::template_limits {

/// How long one rendering may take.
constexpr auto most_time = std::chrono::seconds(5);

/// Counts what one rendering uses, from its construction on and for the checks that run in its thread while it lives. One a thread at a
/// time; the values of the rendering must not outlive it.
class Watch {
 public:
  Watch();
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// That of the calling thread, or null.
  static Watch* current();

  /// Throws std::runtime_error if the rendering takes too long, or its macros call each other too deep.
  void check();

  /// Counts `bytes` more in values that live. Throws std::runtime_error, and does not count them, if that is too much.
  void take(std::size_t bytes);
  void give_back(std::size_t bytes) noexcept { memory_ -= bytes; }

  /// Counts `bytes` that a statement puts out. Throws std::runtime_error if all statements together put out too much.
  void put_out(std::size_t bytes);

  /// Whether one of these has thrown: another rendering would take as long, and end the same way.
  bool passed() const { return passed_; }

 private:
  [[noreturn]] void fail(const char* reason);

  std::chrono::steady_clock::time_point time_;
  std::uintptr_t stack_;
  std::size_t memory_ = 0;
  std::size_t output_ = 0;
  bool passed_ = false;
};

}  // namespace nudging::template_limits
