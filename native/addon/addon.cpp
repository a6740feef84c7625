#include "addon/engine_object.h"
#include "addon/facts.h"
#include "addon/kernels.h"
#include "addon/napi_config.h"
#include "addon/rpc.h"
#include "llama.h"

namespace {

Napi::Object start(Napi::Env env, Napi::Object exports) {
  exports.Set("NativeEngine", nudging::EngineObject::define(env));
  exports.Set("llamaVersion", llama_version());
  nudging::export_kernels(env, exports);
  nudging::export_facts(env, exports);
  nudging::export_rpc(env, exports);
  const auto process = env.Global().Get("process").As<Napi::Object>();
  const auto once = process.Get("once").As<Napi::Function>();
  once.Call(process, {Napi::String::New(env, "exit"), Napi::Function::New<nudging::EngineObject::end_all>(env, "endAll")});
  return exports;
}

}  // namespace

NODE_API_MODULE(nudging, start)
