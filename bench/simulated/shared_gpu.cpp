#include "shared_gpu.h"

#include <algorithm>

using nudging::Clock;
using nudging::milliseconds;

double time_of(const PassTimes& times, double tokens) {
  std::size_t i = 1;
  while (i + 1 < times.size() && times[i].first < tokens) ++i;
  const auto& [from, least] = times[i - 1];
  const auto& [to, most] = times[i];
  return least + (most - least) * (tokens - from) / (to - from);
}

/// Counts what was done since it was last asked.
void SharedGpu::count_time() {
  const Clock::time_point now = Clock::now();
  const double passed = milliseconds(now - last_);
  last_ = now;
  const bool both = left_[0] && left_[1];
  for (std::size_t i = 0; i < left_.size(); ++i) {
    if (left_[i]) *left_[i] -= passed / (both ? beside_[i] : 1);
  }
  if (left_[0] || left_[1]) (both ? busy_.both : busy_.one) += passed;
}

void SharedGpu::work(std::size_t lane, double ms) {
  std::unique_lock lock(mutex_);
  count_time();
  left_[lane] = ms;
  changed_.notify_all();
  while (true) {
    const bool both = left_[0] && left_[1];
    const double rest = std::max(*left_[lane], 0.0) * (both ? beside_[lane] : 1);
    changed_.wait_for(lock, std::chrono::duration<double, std::milli>(rest));
    count_time();
    if (*left_[lane] <= 1e-3) break;
  }
  left_[lane].reset();
  changed_.notify_all();
}

SharedGpu::Busy SharedGpu::busy() const {
  const std::scoped_lock lock(mutex_);
  return busy_;
}

SimulatedDecoder::SimulatedDecoder(std::unique_ptr<nudging::Decoder> inner, OnDone on_done, std::shared_ptr<SharedGpu> gpu,
                                   std::size_t lane, PassTimes times, std::shared_ptr<Passes> passes, bool apart)
    : inner_(std::move(inner)),
      on_done_(std::move(on_done)),
      gpu_(std::move(gpu)),
      lane_(lane),
      times_(std::move(times)),
      passes_(std::move(passes)),
      apart_(apart) {}

void SimulatedDecoder::start(nudging::Pass pass) {
  done_ = false;
  // The thread of the pass before has nothing left to do.
  thread_ = std::jthread([this, moved = std::move(pass)]() mutable {
    const auto tokens = static_cast<double>(moved.tokens.size());
    const Clock::time_point begin = Clock::now();
    inner_->start(std::move(moved));
    while (!inner_->done()) std::this_thread::sleep_for(std::chrono::microseconds(50));
    const double took = milliseconds(Clock::now() - begin);
    // What this machine's CPU took is part of it.
    gpu_->work(lane_, std::max(time_of(times_, tokens) - took, 0.0));
    result_ = inner_->collect();
    result_.begin = begin;
    result_.end = Clock::now();
    *passes_ = {passes_->count + 1, passes_->tokens + static_cast<std::size_t>(tokens), passes_->ms + milliseconds(result_.end - begin)};
    done_.store(true, std::memory_order_release);
    on_done_();
  });
  if (!apart_) thread_.join();
}

nudging::PassResult SimulatedDecoder::collect() {
  done_ = false;
  return std::move(result_);
}
