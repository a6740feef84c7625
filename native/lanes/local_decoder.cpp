#include "lanes/local_decoder.h"

#include <utility>

namespace nudging {

ThreadDecoder::ThreadDecoder(std::unique_ptr<ModelContext> context, OnDone on_done)
    : context_(std::move(context)), on_done_(std::move(on_done)), thread_([this](const std::stop_token& stop) { main(stop); }) {}

ThreadDecoder::~ThreadDecoder() {
  thread_.request_stop();
  thread_.join();
}

void ThreadDecoder::start(Pass pass) {
  const std::scoped_lock lock(mutex_);
  pass_ = std::move(pass);
  changed_.notify_one();
}

PassResult ThreadDecoder::collect() {
  done_.store(false, std::memory_order_relaxed);
  return *std::exchange(result_, std::nullopt);
}

void ThreadDecoder::main(const std::stop_token& stop) {
  while (true) {
    Pass pass;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return pass_.has_value(); })) return;
      pass = *std::exchange(pass_, std::nullopt);
    }
    result_ = context_->decode(pass);
    done_.store(true, std::memory_order_release);
    on_done_();
  }
}

}  // namespace nudging
