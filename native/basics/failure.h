#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace nudging {

/// Kinds of failure that a user can act on. Each has one stable code string in `failure_code`; JavaScript sees only that.
enum class FailureKind : std::uint8_t {
  model_unreadable,
  model_invalid,
  model_unsupported,
  load_aborted,
  out_of_memory,
  context_too_large,
  kv_cache_unsupported,
  not_deterministic,
  device_unsuitable,
  prompt_empty,
  prompt_too_long,
  template_missing,
  template_failed,
  token_unknown,
  vocabularies_differ,
  decode_failed,
  device_failed,
  remote_unreachable,
  remote_refused,
  remote_protocol,
  remote_timeout,
  internal,
};

/// The `code` of the JavaScript error for each kind. The one table of them.
constexpr const char* failure_code(FailureKind kind) {
  switch (kind) {
    case FailureKind::model_unreadable: return "ERR_MODEL_UNREADABLE";
    case FailureKind::model_invalid: return "ERR_MODEL_INVALID";
    case FailureKind::model_unsupported: return "ERR_MODEL_UNSUPPORTED";
    case FailureKind::load_aborted: return "ERR_LOAD_ABORTED";
    case FailureKind::out_of_memory: return "ERR_OUT_OF_MEMORY";
    case FailureKind::context_too_large: return "ERR_CONTEXT_TOO_LARGE";
    case FailureKind::kv_cache_unsupported: return "ERR_KV_CACHE_UNSUPPORTED";
    case FailureKind::not_deterministic: return "ERR_NOT_DETERMINISTIC";
    case FailureKind::device_unsuitable: return "ERR_DEVICE_UNSUITABLE";
    case FailureKind::prompt_empty: return "ERR_PROMPT_EMPTY";
    case FailureKind::prompt_too_long: return "ERR_PROMPT_TOO_LONG";
    case FailureKind::template_missing: return "ERR_TEMPLATE_MISSING";
    case FailureKind::template_failed: return "ERR_TEMPLATE_FAILED";
    case FailureKind::token_unknown: return "ERR_TOKEN_UNKNOWN";
    case FailureKind::vocabularies_differ: return "ERR_VOCABULARIES_DIFFER";
    case FailureKind::decode_failed: return "ERR_DECODE_FAILED";
    case FailureKind::device_failed: return "ERR_DEVICE_FAILED";
    case FailureKind::remote_unreachable: return "ERR_REMOTE_UNREACHABLE";
    case FailureKind::remote_refused: return "ERR_REMOTE_REFUSED";
    case FailureKind::remote_protocol: return "ERR_REMOTE_PROTOCOL";
    case FailureKind::remote_timeout: return "ERR_REMOTE_TIMEOUT";
    case FailureKind::internal: return "ERR_INTERNAL";
  }
  return "ERR_INTERNAL";
}

/// Memory that was asked for where there is less, in bytes.
struct Shortage {
  std::uint64_t needed;
  std::uint64_t available;
};

/// Thrown inside the native engine only; it becomes a failure event before it could reach another thread or C.
class Failure : public std::runtime_error {
 public:
  Failure(FailureKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  Failure(FailureKind kind, const std::string& message, Shortage shortage)
      : std::runtime_error(message), kind_(kind), shortage_(shortage) {}
  FailureKind kind() const { return kind_; }
  /// Of out_of_memory, where the numbers are known.
  const std::optional<Shortage>& shortage() const { return shortage_; }

 private:
  FailureKind kind_;
  std::optional<Shortage> shortage_;
};

}  // namespace nudging
