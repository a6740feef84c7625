#include "addon/engine_object.h"
#include "addon/napi_config.h"
#include "llama.h"

namespace {

Napi::Object start(Napi::Env env, Napi::Object exports) {
  exports.Set("NativeEngine", nudging::EngineObject::define(env));
  exports.Set("llamaVersion", llama_version());
  return exports;
}

}  // namespace

NODE_API_MODULE(nudging, start)
