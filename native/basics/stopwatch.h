#pragma once

#include <chrono>

namespace nudging {

using Clock = std::chrono::steady_clock;

inline double milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

/// Adds the milliseconds of its own lifetime to a total.
class Stopwatch {
 public:
  explicit Stopwatch(double& total_ms) : total_ms_(total_ms) {}
  ~Stopwatch() { total_ms_ += milliseconds(Clock::now() - start_); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& total_ms_;
  Clock::time_point start_ = Clock::now();
};

}  // namespace nudging
