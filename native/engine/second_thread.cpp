#include "engine/second_thread.h"

#include <utility>

namespace nudging {

SecondThread::~SecondThread() {
  thread_.request_stop();
  thread_.join();
}

void SecondThread::start(std::function<void()> work) {
  const std::scoped_lock lock(mutex_);
  work_ = std::move(work);
  changed_.notify_all();
}

void SecondThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !work_; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void SecondThread::main(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return work_ != nullptr; })) {
    std::exception_ptr failure;
    lock.unlock();
    try {
      work_();
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    failure_ = failure;
    work_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace nudging
