#pragma once

#include "addon/napi_config.h"

namespace nudging {

/// `modelFacts(path, chat)`: what a file says of its model, as lib/native.ts declares it. The promise resolves in any case, with a failure
/// if there is one; the file is read on a thread of libuv's.
void export_facts(Napi::Env env, Napi::Object exports);

}  // namespace nudging
