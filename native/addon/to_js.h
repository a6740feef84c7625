#pragma once

#include "addon/napi_config.h"
#include "engine/event.h"

namespace nudging {

/// One event as the JavaScript object that lib/native.ts declares. On the JavaScript thread.
Napi::Object to_js(Napi::Env env, const Event& event);

}  // namespace nudging
