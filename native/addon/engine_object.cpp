#include "addon/engine_object.h"

#include <exception>
#include <optional>
#include <vector>

#include "addon/from_js.h"
#include "addon/to_js.h"

namespace nudging {

namespace {

/// The engines of this thread's environments that have not ended.
thread_local std::unordered_set<EngineObject*> live;

/// The request whose last event this is, if it is one.
std::optional<RequestId> ended_request(const Event& event) {
  if (const auto* finished = std::get_if<std::unique_ptr<Finished>>(&event)) return (*finished)->id;
  if (const auto* inspected = std::get_if<Inspected>(&event)) return inspected->id;
  if (const auto* counted = std::get_if<Counted>(&event)) return counted->id;
  if (const auto* failed = std::get_if<RequestFailed>(&event)) return failed->id;
  return std::nullopt;
}

}  // namespace

void EngineObject::end_all(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::vector<EngineObject*> all(live.begin(), live.end());
  for (EngineObject* object : all) {
    if (static_cast<napi_env>(object->env_) == env) object->end();
  }
}

Napi::Function EngineObject::define(Napi::Env env) {
  return DefineClass(env, "NativeEngine",
                     {
                         InstanceMethod<&EngineObject::submit>("submit"),
                         InstanceMethod<&EngineObject::cancel>("cancel"),
                         InstanceMethod<&EngineObject::park>("park"),
                         InstanceMethod<&EngineObject::answer>("answer"),
                         InstanceMethod<&EngineObject::close>("close"),
                     });
}

EngineObject::EngineObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineObject>(info), env_(info.Env()) {
  std::optional<EngineOptions> options = engine_options(env_, info[0]);
  if (!options) return;
  if (!info[1].IsFunction()) {
    Napi::TypeError::New(env_, "the second argument must be a function that takes events").ThrowAsJavaScriptException();
    return;
  }
  link_ = std::make_unique<Link>().release();  // owned by the callback, whose finalizer deletes it
  link_->object = this;
  callback_ = Callback::New(
      env_, info[1].As<Napi::Function>(), "nudging", 0, 1, link_, [](Napi::Env, void*, Link* link) { std::unique_ptr<Link> owned(link); },
      static_cast<void*>(nullptr));
  callback_.Unref(env_);
  // After the callback: clean-up hooks run last in, first out, and the thread must be gone before the callback is.
  napi_add_env_cleanup_hook(env_, on_environment_end, this);
  live.insert(this);
  hold();
  try {
    engine_ = std::make_unique<Engine>(std::move(*options), [link = link_, callback = callback_] {
      if (!link->signalled.exchange(true)) callback.NonBlockingCall();
    });
  } catch (const std::exception& error) {
    end();
    Napi::Error::New(env_, error.what()).ThrowAsJavaScriptException();
  }
}

EngineObject::~EngineObject() { end(); }

void EngineObject::on_environment_end(void* object) { static_cast<EngineObject*>(object)->end(); }

void EngineObject::end() {
  if (link_ == nullptr) return;
  live.erase(this);
  engine_.reset();
  link_->object = nullptr;
  link_ = nullptr;
  napi_remove_env_cleanup_hook(env_, on_environment_end, this);
  callback_.Abort();
}

void EngineObject::hold() {
  if (under_way_++ == 0) callback_.Ref(env_);
}

void EngineObject::let_go() {
  if (under_way_ > 0 && --under_way_ == 0) callback_.Unref(env_);
}

void EngineObject::submit(const Napi::CallbackInfo& info) {
  if (!engine_) return;
  std::optional<Request> wanted = request(env_, info[0]);
  if (!wanted) return;
  hold();
  open_.insert(wanted->id);
  engine_->submit(std::move(*wanted));
}

void EngineObject::cancel(const Napi::CallbackInfo& info) {
  if (engine_ && info[0].IsNumber()) engine_->cancel(info[0].As<Napi::Number>().Uint32Value());
}

void EngineObject::park(const Napi::CallbackInfo& info) {
  if (!engine_ || !info[0].IsNumber()) return;
  const RequestId id = info[0].As<Napi::Number>().Uint32Value();
  // JavaScript hears of pieces in front of the end that came with them, and may park what has already let go.
  if (!open_.contains(id)) return;
  const bool parked = info[1].ToBoolean().Value();
  if (parked && parked_.insert(id).second) let_go();
  if (!parked && parked_.erase(id) > 0) hold();
  engine_->park(id, parked);
}

void EngineObject::answer(const Napi::CallbackInfo& info) {
  if (!engine_) return;
  if (std::optional<RemoteAnswers> answers = remote_answers(env_, info[0])) engine_->answer(std::move(*answers));
}

void EngineObject::close(const Napi::CallbackInfo& info) {
  if (!engine_) return;
  hold();
  engine_->close(info[0].ToBoolean().Value());
}

void EngineObject::deliver(Napi::Env env, Napi::Function callback, Link* link, std::nullptr_t*) {
  // Calls still queued when the environment ends come without one, and after the finalizer that deleted the link.
  if (static_cast<napi_env>(env) == nullptr) return;
  // Cleared before draining: an event that comes while these are delivered brings a call of its own.
  link->signalled.store(false);
  if (link->object == nullptr || !link->object->engine_) return;
  EngineObject& object = *link->object;

  const std::vector<Event> events = object.engine_->drain();
  if (events.empty()) return;
  Napi::Array array = Napi::Array::New(env, events.size());
  bool closed = false;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    array.Set(static_cast<std::uint32_t>(i), to_js(env, event));
    const bool loading_ends = std::holds_alternative<std::unique_ptr<Loaded>>(event) || std::holds_alternative<LoadFailed>(event);
    const std::optional<RequestId> ended = ended_request(event);
    if (ended) object.open_.erase(*ended);
    if (loading_ends || (ended && object.parked_.erase(*ended) == 0)) object.let_go();
    closed = closed || std::holds_alternative<Closed>(event);
  }
  // Before the call: JavaScript may drop the object in it.
  if (closed) object.end();
  // Building the events fails while a worker is being terminated.
  if (!env.IsExceptionPending()) callback.Call({array});
}

}  // namespace nudging
