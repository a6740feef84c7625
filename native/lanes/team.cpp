#include "lanes/team.h"

#include <utility>

namespace nudging {

Team::Team(std::size_t members) {
  for (std::size_t member = 1; member < members; ++member) {
    threads_.emplace_back([this, member](const std::stop_token& stop) { main(stop, member); });
  }
}

Team::~Team() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void Team::share(std::size_t rows, const std::function<void(std::size_t, std::size_t)>& work) {
  // One row is not worth waking anybody.
  if (rows < 2 || threads_.empty()) {
    for (std::size_t row = 0; row < rows; ++row) work(row, 0);
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    work_ = &work;
    rows_ = rows;
    next_.store(0, std::memory_order_relaxed);
    busy_ = threads_.size();
    ++round_;
    changed_.notify_all();
  }
  take_rows(0);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return busy_ == 0; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Team::take_rows(std::size_t member) {
  try {
    for (std::size_t row = next_.fetch_add(1, std::memory_order_relaxed); row < rows_;
         row = next_.fetch_add(1, std::memory_order_relaxed)) {
      (*work_)(row, member);
    }
  } catch (...) {
    next_.store(rows_, std::memory_order_relaxed);
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
}

void Team::main(const std::stop_token& stop, std::size_t member) {
  std::uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return round_ != seen; })) {
    seen = round_;
    lock.unlock();
    take_rows(member);
    lock.lock();
    if (--busy_ == 0) changed_.notify_all();
  }
}

}  // namespace nudging
