#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace nudging {

/// A thread for what one lane decodes while the scheduler's own thread decodes the other's. Runs one piece of work at a time; what the work touches belongs to
/// it from `start` until `wait` returns.
class SecondThread {
 public:
  SecondThread() : thread_([this](const std::stop_token& stop) { main(stop); }) {}
  ~SecondThread();
  SecondThread(const SecondThread&) = delete;
  SecondThread& operator=(const SecondThread&) = delete;

  /// Only after the work before was waited for.
  void start(std::function<void()> work);
  /// Returns when the work is done. Rethrows what it threw.
  void wait();

 private:
  void main(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::function<void()> work_;   // guarded by mutex_; empty when done
  std::exception_ptr failure_;  // guarded by mutex_
  // Last: it uses everything above.
  std::jthread thread_;
};

}  // namespace nudging
