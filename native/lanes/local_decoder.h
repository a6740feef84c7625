#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "lanes/decoder.h"
#include "lanes/model_context.h"

namespace nudging {

/// Decodes on the scheduler's own thread: for lanes that share their cores, and take turns.
class TurnDecoder final : public Decoder {
 public:
  explicit TurnDecoder(std::unique_ptr<ModelContext> context) : context_(std::move(context)) {}

  void start(Pass pass) override { result_ = context_->decode(pass); }
  bool done() const override { return result_.has_value(); }
  PassResult collect() override { return *std::exchange(result_, std::nullopt); }
  bool apart() const override { return false; }

 private:
  std::unique_ptr<ModelContext> context_;
  std::optional<PassResult> result_;
};

/// Decodes on a thread of its own, to which the context belongs: for lanes that have a device, or cores, of their own.
///
/// Threads: `pass_` and `result_` are handed over under `mutex_`; the pass is the thread's from `start` until it is done, the result the
/// caller's from then on.
class ThreadDecoder final : public Decoder {
 public:
  ThreadDecoder(std::unique_ptr<ModelContext> context, OnDone on_done);
  /// Waits for the pass that is under way.
  ~ThreadDecoder() override;
  ThreadDecoder(const ThreadDecoder&) = delete;
  ThreadDecoder& operator=(const ThreadDecoder&) = delete;

  void start(Pass pass) override;
  bool done() const override { return done_.load(std::memory_order_acquire); }
  PassResult collect() override;
  bool apart() const override { return true; }

 private:
  void main(const std::stop_token& stop);

  std::unique_ptr<ModelContext> context_;
  OnDone on_done_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Pass> pass_;          // guarded by mutex_
  std::optional<PassResult> result_;  // written before `done_`, read after it
  std::atomic<bool> done_ = false;
  // Last: it uses everything above.
  std::jthread thread_;
};

}  // namespace nudging
