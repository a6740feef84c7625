#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "engine/prompts.h"
#include "lanes/loaded_lane.h"
#include "engine/request.h"
#include "lanes/model_context.h"

namespace nudging {

/// The prompts of one request with long texts, rendered and tokenised on a thread of its own, so that nobody waits for them but the
/// request itself.
///
/// Threads: the scheduler's thread owns this object. The preparation's thread reads the request and the models, which do not change, and
/// writes the result, which is the scheduler's once `done`.
class Preparation {
 public:
  using Lanes = std::vector<const LoadedLane*>;

  /// Starts. `on_done` is called once, on the preparation's thread. Throws std::system_error where no thread is to be had.
  Preparation(std::shared_ptr<const Request> request, const Lanes& lanes, std::function<void()> on_done);
  /// Gives up what is not done, and waits for the thread.
  ~Preparation();
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  /// The thread ends soon, without a result.
  void give_up() { given_up_.store(true, std::memory_order_relaxed); }
  bool done() const { return done_.load(std::memory_order_acquire); }
  /// The result, or what was thrown. Only when done, and once.
  Prompts take();

  /// Whether a request has texts long enough to be prepared apart.
  static bool pays(const Request& request);

 private:
  void main(const Lanes& lanes);

  std::shared_ptr<const Request> request_;
  std::function<void()> on_done_;
  Prompts prompts_;
  std::exception_ptr failure_;
  std::atomic<bool> given_up_ = false;
  std::atomic<bool> done_ = false;
  // Last: it uses everything above.
  std::thread thread_;
};

}  // namespace nudging
