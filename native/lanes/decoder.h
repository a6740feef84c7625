#pragma once

#include <functional>
#include <memory>

#include "lanes/pass.h"

namespace nudging {

/// Who decodes for one lane: takes a pass and completes it later. One pass at a time, from the scheduler's thread; what is behind it (a
/// context, a thread, another machine) is its own affair.
class Decoder {
 public:
  /// Called once a pass is done, on any thread.
  using OnDone = std::function<void()>;

  virtual ~Decoder() = default;

  /// Begins a pass. Only after the one before was collected.
  virtual void start(Pass pass) = 0;
  /// Whether the pass that was started can be collected.
  virtual bool done() const = 0;
  /// What came of it. Only when done, and once.
  virtual PassResult collect() = 0;
  /// True if it is at work while the scheduler goes on. Otherwise `start` returns when the pass is done.
  virtual bool apart() const = 0;
};

/// Puts something between the scheduler and a lane's decoder: for tests, which make it slow or wrong.
using WrapDecoder = std::function<std::unique_ptr<Decoder>(std::size_t lane, std::unique_ptr<Decoder> decoder, Decoder::OnDone on_done)>;

}  // namespace nudging
