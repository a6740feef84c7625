#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "basics/stopwatch.h"
#include "lanes/decoder.h"

/// What passes of a model take on a device that it has for itself: (tokens, milliseconds), with rising tokens, at least two.
using PassTimes = std::vector<std::pair<double, double>>;

/// Interpolated; beyond the last, as the last two suggest.
double time_of(const PassTimes& times, double tokens);

/// A GPU that two models share: beside the other's pass, each one's takes a stated number of times as long. Any thread may work on it.
class SharedGpu {
 public:
  explicit SharedGpu(std::array<double, 2> beside) : beside_(beside) {}

  /// Returns when the work of a lane is done, which would take `ms` if nobody else worked.
  void work(std::size_t lane, double ms);

  /// Milliseconds in which only one lane worked, and both.
  struct Busy {
    double one = 0;
    double both = 0;
  };
  Busy busy() const;

 private:
  void count_time();

  std::array<double, 2> beside_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_: what is left of each lane's pass, in milliseconds alone.
  std::array<std::optional<double>, 2> left_;
  nudging::Clock::time_point last_ = nudging::Clock::now();
  Busy busy_;
};

/// A lane on such a GPU: its own decoder says what, and the GPU when. The thread of a pass owns it until the pass is done.
class SimulatedDecoder final : public nudging::Decoder {
 public:
  /// All that a lane has decoded.
  struct Passes {
    std::size_t count = 0;
    std::size_t tokens = 0;
    double ms = 0;
  };

  SimulatedDecoder(std::unique_ptr<nudging::Decoder> inner, OnDone on_done, std::shared_ptr<SharedGpu> gpu, std::size_t lane,
                   PassTimes times, std::shared_ptr<Passes> passes, bool apart);

  void start(nudging::Pass pass) override;
  bool done() const override { return done_.load(std::memory_order_acquire); }
  nudging::PassResult collect() override;
  bool apart() const override { return apart_; }

 private:
  std::unique_ptr<nudging::Decoder> inner_;
  OnDone on_done_;
  std::shared_ptr<SharedGpu> gpu_;
  std::size_t lane_;
  PassTimes times_;
  std::shared_ptr<Passes> passes_;
  bool apart_;
  nudging::PassResult result_;
  std::atomic<bool> done_ = false;
  std::jthread thread_;
};
