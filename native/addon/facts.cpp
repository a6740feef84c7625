#include "addon/facts.h"

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backend/inventory.h"
#include "backend/log.h"
#include "engine/event.h"
#include "models/model_facts.h"

namespace nudging {

namespace {

/// Reads one file. `Execute` runs on another thread and writes the result, which belongs to the JavaScript thread afterwards.
class FactsWorker final : public Napi::AsyncWorker {
 public:
  FactsWorker(Napi::Env env, std::string path, std::vector<Message> chat)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), path_(std::move(path)), chat_(std::move(chat)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override {
    try {
      facts_ = facts_of(path_, chat_);
    } catch (const Failure& failure) {
      code_ = failure_code(failure.kind());
      message_ = failure.what();
    } catch (const std::exception& error) {
      code_ = failure_code(FailureKind::internal);
      message_ = error.what();
    }
  }

  void OnOK() override { deferred_.Resolve(result()); }

 private:
  Napi::Object result() const {
    Napi::Object object = Napi::Object::New(Env());
    if (!facts_) {
      object.Set("code", code_);
      object.Set("message", message_);
      return object;
    }
    object.Set("description", facts_->description);
    object.Set("trainedContext", facts_->trained_context);
    object.Set("recurrent", facts_->recurrent);
    if (facts_->leading) object.Set("leading", named(*facts_->leading));
    Napi::Array ends = Napi::Array::New(Env(), facts_->ends.size());
    for (std::size_t i = 0; i < facts_->ends.size(); ++i) ends.Set(static_cast<std::uint32_t>(i), named(facts_->ends[i]));
    object.Set("ends", ends);
    Napi::Array rendered = Napi::Array::New(Env(), facts_->rendered.size());
    for (std::size_t i = 0; i < facts_->rendered.size(); ++i) {
      Napi::Object segment = Napi::Object::New(Env());
      segment.Set("text", facts_->rendered[i].text);
      segment.Set("special", facts_->rendered[i].is_template);
      rendered.Set(static_cast<std::uint32_t>(i), segment);
    }
    object.Set("rendered", rendered);
    object.Set("templateFailure", facts_->template_failure);
    return object;
  }

  Napi::Object named(const ModelFacts::Named& token) const {
    Napi::Object object = Napi::Object::New(Env());
    object.Set("token", token.token);
    object.Set("text", token.text);
    return object;
  }

  Napi::Promise::Deferred deferred_;
  std::string path_;
  std::vector<Message> chat_;
  std::optional<ModelFacts> facts_;
  const char* code_ = "";
  std::string message_;
};

/// Empty, with a TypeError pending, if it is no list of messages.
std::optional<std::vector<Message>> messages(Napi::Env env, Napi::Value value) {
  std::vector<Message> chat;
  const Napi::Array list = value.IsArray() ? value.As<Napi::Array>() : Napi::Array::New(env);
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value entry = list[i];
    const auto text = [&](const char* key) { return entry.IsObject() ? entry.As<Napi::Object>().Get(key) : env.Undefined(); };
    const Napi::Value role = text("role");
    const Napi::Value content = text("content");
    if (!role.IsString() || !content.IsString()) {
      Napi::TypeError::New(env, "the chat must be a list of { role, content }").ThrowAsJavaScriptException();
      return std::nullopt;
    }
    chat.push_back({role.As<Napi::String>().Utf8Value(), content.As<Napi::String>().Utf8Value()});
  }
  return chat;
}

Napi::Value read(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) {
    Napi::TypeError::New(env, "the path must be a string").ThrowAsJavaScriptException();
    return {};
  }
  std::optional<std::vector<Message>> chat = messages(env, info[1]);
  if (!chat) return {};
  capture_log();
  auto worker = std::make_unique<FactsWorker>(env, info[0].As<Napi::String>().Utf8Value(), std::move(*chat));
  Napi::Promise promise = worker->promise();
  worker->Queue();
  static_cast<void>(worker.release());  // it deletes itself when it is done
  return promise;
}

Napi::Value machine(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  capture_log();
  const std::vector<DeviceInfo> all = devices();
  Napi::Array list = Napi::Array::New(env, all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    Napi::Object item = Napi::Object::New(env);
    item.Set("name", all[i].name);
    item.Set("description", all[i].description);
    item.Set("kind", all[i].kind);
    item.Set("free", static_cast<double>(all[i].free));
    item.Set("total", static_cast<double>(all[i].total));
    list.Set(static_cast<std::uint32_t>(i), item);
  }
  Napi::Object features = Napi::Object::New(env);
  for (const auto& [name, value] : backend_features()) features.Set(name, value);
  Napi::Object object = Napi::Object::New(env);
  object.Set("devices", list);
  object.Set("features", features);
  return object;
}

}  // namespace

void export_facts(Napi::Env env, Napi::Object exports) {
  exports.Set("modelFacts", Napi::Function::New<read>(env, "modelFacts"));
  exports.Set("machine", Napi::Function::New<machine>(env, "machine"));
}

}  // namespace nudging
