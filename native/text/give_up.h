#pragma once

#include <atomic>

namespace nudging {

/// While one lives, what its thread tokenises and renders asks now and then whether `given_up` was set, and throws Failure(internal) if it
/// was: nobody waits for the result. One that begins inside another takes its place until it ends.
class GiveUpScope {
 public:
  /// `given_up` may be null: nothing is given up. It must outlive this.
  explicit GiveUpScope(const std::atomic<bool>* given_up);
  ~GiveUpScope();
  GiveUpScope(const GiveUpScope&) = delete;
  GiveUpScope& operator=(const GiveUpScope&) = delete;

  /// The present thread's, for work that goes on on another thread; null without a scope.
  static const std::atomic<bool>* current();
  /// Throws if the present thread's work was given up.
  static void check();

 private:
  const std::atomic<bool>* before_;
};

}  // namespace nudging
