#include "addon/rpc.h"

#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backend/device.h"
#include "backend/rpc.h"
#include "llama.h"

namespace nudging {

namespace {

/// The server has a thread to itself, which owns all that it is given, and never comes back while it serves: this one stays free to hear
/// that the process should end.
Napi::Value serve(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object wanted = info[0].IsObject() ? info[0].As<Napi::Object>() : Napi::Object::New(env);
  const Napi::Value names = wanted.Get("devices");
  if (!wanted.Get("endpoint").IsString() || !wanted.Get("cache").IsString() || !wanted.Get("threads").IsNumber() || !names.IsArray()) {
    Napi::TypeError::New(env, "the options must be { endpoint, cache, threads, devices }").ThrowAsJavaScriptException();
    return {};
  }
  const auto list = names.As<Napi::Array>();
  std::vector<std::string> devices;
  for (std::uint32_t i = 0; i < list.Length(); ++i) devices.push_back(list.Get(i).ToString().Utf8Value());
  try {
    // llama.cpp's log stays on stderr: it is the server's.
    llama_backend_init();
    prepare_devices();
    RpcService service{wanted.Get("endpoint").As<Napi::String>().Utf8Value(), wanted.Get("cache").As<Napi::String>().Utf8Value(),
                       wanted.Get("threads").As<Napi::Number>().Uint32Value(), offered_devices(devices)};
    Napi::Array offered = Napi::Array::New(env, service.devices.size());
    for (std::size_t i = 0; i < service.devices.size(); ++i)
      offered.Set(static_cast<std::uint32_t>(i), ggml_backend_dev_name(service.devices[i]));
    std::thread([service = std::move(service)]() mutable {
      serve_rpc(std::move(service));
      // Without its server this process has nothing to do. Nothing is torn down under the other threads.
      std::_Exit(1);
    }).detach();
    return offered;
  } catch (const std::exception& error) {
    Napi::Error::New(env, error.what()).ThrowAsJavaScriptException();
    return {};
  }
}

}  // namespace

void export_rpc(Napi::Env env, Napi::Object exports) {
  Napi::Array protocol = Napi::Array::New(env);
  for (const std::uint32_t number : rpc_protocol()) protocol.Set(protocol.Length(), number);
  exports.Set("rpcProtocol", protocol);
  exports.Set("serveRpc", Napi::Function::New<serve>(env, "serveRpc"));
}

}  // namespace nudging
