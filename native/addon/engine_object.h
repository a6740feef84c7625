#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <unordered_set>

#include "addon/napi_config.h"
#include "engine/engine.h"

namespace nudging {

/// The JavaScript class `NativeEngine`: an Engine, and the thread-safe function that carries its events to JavaScript.
///
/// Threads: everything here belongs to the JavaScript thread, except `Link::notify`, which the engine's thread calls.
/// Lifetimes: the engine's thread is joined before the thread-safe function is released, whichever comes first of the `closed`
/// event, the garbage collector, the process's `exit` event, and the end of the environment (a worker terminated). The callback
/// keeps the process alive only while something is under way.
///
/// `process.exit()` runs no clean-up hooks: it destroys llama.cpp's static objects under a thread that is still decoding. Hence `end_all`.
class EngineObject : public Napi::ObjectWrap<EngineObject> {
 public:
  static Napi::Function define(Napi::Env env);

  /// Ends every engine of this environment at once. For the process's `exit` event.
  static void end_all(const Napi::CallbackInfo& info);

  explicit EngineObject(const Napi::CallbackInfo& info);
  EngineObject(const EngineObject&) = delete;
  EngineObject& operator=(const EngineObject&) = delete;
  ~EngineObject() override;

 private:
  /// Shared with the thread-safe function, which may deliver a call after the object is gone.
  struct Link {
    EngineObject* object = nullptr;      // JavaScript thread
    std::atomic<bool> signalled{false};  // a call is on its way
  };
  static void deliver(Napi::Env env, Napi::Function callback, Link* link, std::nullptr_t*);
  using Callback = Napi::TypedThreadSafeFunction<Link, std::nullptr_t, deliver>;

  void submit(const Napi::CallbackInfo& info);
  void cancel(const Napi::CallbackInfo& info);
  void park(const Napi::CallbackInfo& info);
  void answer(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  void hold();
  void let_go();
  /// Joins the engine's thread and releases the callback. May be called twice.
  void end();
  static void on_environment_end(void* object);

  Napi::Env env_;
  Link* link_ = nullptr;
  Callback callback_;
  std::unique_ptr<Engine> engine_;
  /// Loading, requests, closing: what the process must stay alive for.
  std::size_t under_way_ = 0;
  /// Requests whose end has not been handed over.
  std::unordered_set<RequestId> open_;
  /// Requests that are not counted in `under_way_`, because their readers have stopped reading.
  std::unordered_set<RequestId> parked_;
};

}  // namespace nudging
