#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace nudging {

/// A few threads that share the rows of a table with whoever calls them. They sleep in between.
///
/// Threads: belongs to its caller. What the work touches for one row is one thread's; the caller goes on only when all rows are done.
class Team {
 public:
  /// `members`: with the caller, at least 1. Throws std::system_error where no thread is to be had.
  explicit Team(std::size_t members);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  std::size_t members() const { return threads_.size() + 1; }

  /// Calls `work` for each row below `rows`, with the number of the member that does it, and returns when all are done. Rethrows what was
  /// thrown first; other rows may not have been done then.
  void share(std::size_t rows, const std::function<void(std::size_t row, std::size_t member)>& work);

 private:
  void main(const std::stop_token& stop, std::size_t member);
  void take_rows(std::size_t member);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t round_ = 0;     // guarded by mutex_
  std::size_t busy_ = 0;        // guarded by mutex_
  std::exception_ptr failure_;  // guarded by mutex_
  // Written before a round begins, read in it.
  const std::function<void(std::size_t, std::size_t)>* work_ = nullptr;
  std::size_t rows_ = 0;
  std::atomic<std::size_t> next_ = 0;
  // Last: they use everything above.
  std::vector<std::jthread> threads_;
};

}  // namespace nudging
