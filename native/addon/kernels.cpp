#include "addon/kernels.h"

#include <exception>
#include <vector>

#include "backend/log.h"
#include "trust/kernel_check.h"

namespace nudging {

namespace {

Napi::Value list(const Napi::CallbackInfo& info) {
  capture_log();
  const std::vector<Kernel> kernels = extra_kernels();
  Napi::Array array = Napi::Array::New(info.Env(), kernels.size());
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    Napi::Object item = Napi::Object::New(info.Env());
    item.Set("buffer", ggml_backend_buft_name(kernels[i].buffer));
    item.Set("type", ggml_type_name(kernels[i].type));
    array.Set(static_cast<std::uint32_t>(i), item);
  }
  return array;
}

Napi::Value check(const Napi::CallbackInfo& info) {
  const std::vector<Kernel> kernels = extra_kernels();
  const std::uint32_t index = info[0].ToNumber().Uint32Value();
  const std::int32_t threads = info[1].ToNumber().Int32Value();
  if (index >= kernels.size() || threads < 1 || threads > 512) {
    Napi::RangeError::New(info.Env(), "no such kernel, or not 1 to 512 threads").ThrowAsJavaScriptException();
    return {};
  }
  try {
    return Napi::Boolean::New(info.Env(), gives_known_answer(kernels[index], threads));
  } catch (const std::exception& error) {
    Napi::Error::New(info.Env(), error.what()).ThrowAsJavaScriptException();
    return {};
  }
}

}  // namespace

void export_kernels(Napi::Env env, Napi::Object exports) {
  exports.Set("extraKernels", Napi::Function::New<list>(env, "extraKernels"));
  exports.Set("givesKnownAnswer", Napi::Function::New<check>(env, "givesKnownAnswer"));
}

}  // namespace nudging
