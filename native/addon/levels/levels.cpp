// levels.node: `{ name: score }` of the levels of this architecture; 0 for those that this CPU cannot run.
#include <level_list.h>
#include <napi.h>

#include <string_view>

#include "operating_system.h"

// ggml's scores, one for each level: compiled by cmake/levels_addon.cmake from one source with different settings, by these names.
#define NUDGING_LEVEL_ENTRY(name) int nudging_score_##name(void);
extern "C" {
NUDGING_LEVELS(NUDGING_LEVEL_ENTRY)
}
#undef NUDGING_LEVEL_ENTRY

namespace {

bool is_saved(const char* level, const nudging::SavedRegisters& saved) {
  const std::string_view name = level;
  if (name == "v3") return saved.avx;
  if (name == "icelake") return saved.avx512;
  if (name == "sapphirerapids") return saved.avx512 && saved.amx;
  return true;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  const nudging::SavedRegisters saved = nudging::saved_registers();
  const auto add = [&](const char* level, int score) { exports.Set(level, Napi::Number::New(env, is_saved(level, saved) ? score : 0)); };
#define NUDGING_LEVEL_ENTRY(name) add(#name, nudging_score_##name());
  NUDGING_LEVELS(NUDGING_LEVEL_ENTRY)
#undef NUDGING_LEVEL_ENTRY
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, init)
