#pragma once

#include "addon/napi_config.h"

namespace nudging {

/// As lib/native.ts declares them: `modelFacts(path, chat)`, what a file says of its model, whose promise resolves in any case, with a
/// failure if there is one (the file is read on a thread of libuv's), and `machine()`, what this binary can compute on.
void export_facts(Napi::Env env, Napi::Object exports);

}  // namespace nudging
