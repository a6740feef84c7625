#pragma once

#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "engine/event.h"
#include "engine/mailbox.h"
#include "engine/options.h"
#include "engine/request.h"

namespace nudging {

/// Two models or more, and the thread that runs all requests: it loads, says what is decoded, and frees what it loaded. Where lanes do not
/// take turns, each decodes on a thread of its own (Decoder); tokenising, which changes nothing, may be another thread's.
///
/// Thread-safe: `submit`, `cancel`, `park`, `answer`, `close` and `drain` may be called from any thread. `notify` is called on the engine's
/// thread whenever events wait to be drained; it must not block and must not call back into the engine.
class Engine {
 public:
  Engine(EngineOptions options, std::function<void()> notify);
  /// Stops at once, giving up a running decode, and joins the thread.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void submit(Request request) { mailbox_.submit(std::move(request)); }
  /// Ends a request with `aborted` at the next tick; a request that is not known any more is ignored.
  void cancel(RequestId id) { mailbox_.cancel(id); }
  /// Stops decoding for a request, which keeps its place and its caches, or goes on with it. A request that does not run is ignored.
  void park(RequestId id, bool parked) { mailbox_.park(id, parked); }
  /// What came of a call to a model on another machine. One that is not known any more is ignored.
  void answer(RemoteAnswers answers) { mailbox_.answer(std::move(answers)); }
  /// Ends the thread when the running and queued requests are done, or at once if `abandon`. `Closed` is the last event.
  void close(bool abandon) { mailbox_.close(abandon); }

  /// Events since the last call, in order.
  std::vector<Event> drain() { return mailbox_.drain(); }

 private:
  void main();

  EngineOptions options_;
  Mailbox mailbox_;
  // Last: it uses everything above from its first moment.
  std::thread thread_;
};

}  // namespace nudging
