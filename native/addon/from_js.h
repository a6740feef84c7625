#pragma once

#include <optional>

#include "addon/napi_config.h"
#include "engine/engine.h"
#include "engine/request.h"

namespace nudging {

/// Plain structs from JavaScript objects, on the JavaScript thread. lib/ has validated every value with a message for people; these
/// only make sure that nothing of the wrong type or range gets further. Empty, with a TypeError pending, if something is.
std::optional<EngineOptions> engine_options(Napi::Env env, Napi::Value value);
std::optional<Request> request(Napi::Env env, Napi::Value value);
std::optional<RemoteAnswers> remote_answers(Napi::Env env, Napi::Value value);

}  // namespace nudging
