#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "backend/cpu_buffers.h"
#include "basics/stopwatch.h"
#include "engine/event.h"
#include "engine/request.h"

namespace nudging {

constexpr std::int32_t longest_context = -1;
constexpr std::int32_t all_gpu_layers = -1;
constexpr std::int32_t fitting_gpu_layers = -2;

/// Everything that loading needs. Checked by the caller: paths not empty, numbers in range.
struct EngineOptions {
  struct Lane {
    std::string path;
    /// The output layer counts as one; `all_gpu_layers`, or `fitting_gpu_layers`: as many as fit.
    std::int32_t gpu_layers = all_gpu_layers;
    /// Tokens per sequence; 0: what the model was trained with, at most `default_context`; `longest_context`: as much of it as fits.
    std::int32_t context = 0;
    /// One of `kv_cache_types`.
    ggml_type cache_type = GGML_TYPE_F16;
    /// Nothing: by device and context.
    std::optional<bool> flash_attention;
  };
  Lane lanes[lane_count];
  /// CPU threads per model; 0: as many as its size is worth, at most `cores`.
  std::int32_t threads = 0;
  std::int32_t cores = 1;
  /// Sequences that decode together; 0: a few, as memory allows.
  std::uint32_t parallel = 0;
  /// Most tokens in one decode call.
  std::uint32_t batch = 512;
  /// Both models decode at the same time; nothing: if one of them runs on a GPU.
  std::optional<bool> overlap;
  /// Whether passes must give the same bits whatever is decoded beside them; nothing: where that can be had.
  std::optional<bool> deterministic;
  /// Bytes that this process may still allocate.
  std::uint64_t host_memory = 0;
  /// Extra CPU buffers that weights may be put into, by ggml's names; nothing: all of this machine's. Names that it does not have do no harm.
  std::optional<CpuBuffers> cpu_buffers;
  /// Whether weights may be pages of the files.
  bool mapped = true;
  /// Of those buffers, the ones that are known to do harm.
  CpuBuffers harmful_cpu_buffers;
};

/// Two models, and the one thread that decodes: it loads, runs all requests, and frees what it loaded. Only tokenising, which changes
/// nothing, may be another thread's.
///
/// Thread-safe: `submit`, `cancel`, `park`, `close` and `drain` may be called from any thread. `notify` is called on the engine's thread
/// whenever events wait to be drained; it must not block and must not call back into the engine.
class Engine {
 public:
  Engine(EngineOptions options, std::function<void()> notify);
  /// Stops at once, giving up a running decode, and joins the thread.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void submit(Request request);
  /// Ends a request with `aborted` at the next tick; a request that is not known any more is ignored.
  void cancel(RequestId id);
  /// Stops decoding for a request, which keeps its place and its caches, or goes on with it. A request that does not run is ignored.
  void park(RequestId id, bool parked);
  /// Ends the thread when the running and queued requests are done, or at once if `abandon`. `Closed` is the last event.
  void close(bool abandon);

  /// Events since the last call, in order.
  std::vector<Event> drain();

 private:
  friend class Scheduler;

  struct Submitted {
    Request request;
    Clock::time_point at;
  };
  struct Inbox {
    std::deque<Submitted> submitted;
    std::vector<RequestId> cancelled;
    std::vector<std::pair<RequestId, bool>> parked;
    bool closing = false;
    /// Something else is new: a preparation is done, or the engine closes.
    bool woken = false;
  };

  void main();
  /// Ends a `receive`. From any thread.
  void wake();
  /// What has come in. Waits for it, at most until `until`.
  Inbox receive(Clock::time_point until);
  void emit(std::vector<Event> events);
  void emit(Event event);

  EngineOptions options_;
  std::function<void()> notify_;
  std::atomic<bool> stopping_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  Inbox inbox_;                // guarded by mutex_
  std::vector<Event> outbox_;  // guarded by mutex_

  // Last: it uses everything above from its first moment.
  std::thread thread_;
};

}  // namespace nudging
