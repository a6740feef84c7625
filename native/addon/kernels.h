#pragma once

#include "addon/napi_config.h"

namespace nudging {

/// For the check of all kernels in a process of its own (scripts/lib/kernels.mjs): `extraKernels()` lists them as { buffer, type }, by
/// ggml's names, and `givesKnownAnswer(index, threads)` tries one of that list.
void export_kernels(Napi::Env env, Napi::Object exports);

}  // namespace nudging
