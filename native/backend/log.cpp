#include "backend/log.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string_view>

#include "llama.h"

namespace nudging {

namespace {

thread_local std::string complaints;
constexpr std::size_t most_kept = 2000;

void on_log(ggml_log_level level, const char* text, void* print) {
  if (print != nullptr) std::fputs(text, stderr);
  if (level != GGML_LOG_LEVEL_ERROR && level != GGML_LOG_LEVEL_WARN) return;
  std::string_view line(text);
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
  if (line.empty() || complaints.size() > most_kept) return;
  if (!complaints.empty()) complaints += "; ";
  complaints += line;
}

}  // namespace

void capture_log() {
  static std::once_flag once;
  std::call_once(once, [] {
    static char yes = 1;
    const char* wanted = std::getenv("NUDGING_LOG");  // NOLINT(concurrency-mt-unsafe): ggml, too, reads its variables here
    llama_log_set(on_log, wanted != nullptr && *wanted != '\0' ? &yes : nullptr);
  });
}

std::string take_log() {
  std::string taken;
  taken.swap(complaints);
  return taken;
}

}  // namespace nudging
