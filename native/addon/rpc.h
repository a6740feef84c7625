#pragma once

#include "addon/napi_config.h"

namespace nudging {

/// As lib/native.ts declares them: `rpcProtocol`, and `serveRpc(options)`, which serves on a thread of its own as long as the process
/// lives.
void export_rpc(Napi::Env env, Napi::Object exports);

}  // namespace nudging
