#include "nudge/agreement.h"

namespace nudging {

std::optional<bool> Agreement::known(std::string_view bytes) {
  if (signals_ == Signals::none) return std::nullopt;
  if (expected_.starts_with(bytes)) {
    expected_.erase(0, bytes.size());
    return true;
  }
  // What is behind the end of a draft that was cut is not known, wherever in the token it is.
  const bool differs = ends_ || !bytes.starts_with(expected_);
  expected_.clear();
  ends_ = false;
  return differs ? std::optional(false) : std::nullopt;
}

Task<bool> Agreement::ask(std::string_view text, std::string_view bytes) {
  aligned_.set_text(text);
  expected_.clear();
  ends_ = false;
  do {
    const Top1 next = co_await aligned_.top1();
    ends_ = next.ends;
    // A token that shows nothing is not what the base says, which shows something.
    if (next.silent()) break;
    expected_ += next.bytes;
    aligned_.push(next.token);
  } while (expected_.size() < bytes.size() && bytes.starts_with(expected_));
  const bool agrees = expected_.starts_with(bytes);
  if (agrees) {
    expected_.erase(0, bytes.size());
  } else {
    expected_.clear();
  }
  ends_ = false;
  co_return agrees;
}

}  // namespace nudging
