#include "nudge/read_along.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "nudge/words.h"

namespace nudging {

namespace {

/// Tokens of its own run that the base is asked for before it is known whether the draft ends the answer.
constexpr std::size_t most_run_ahead = 16;

}  // namespace

ReadAlong::ReadAlong(Lane& base, std::string_view text, const Draft& draft, const DeferralRule& rule)
    : base_(base), text_(text), draft_(draft), rule_(rule) {
  if (!base.apart()) return;
  base_.ask_ahead(true);
  task_.emplace(read());
  task_->start();
}

ReadAlong::~ReadAlong() {
  if (!task_) return;
  task_.reset();
  base_.withdraw();
  base_.ask_ahead(false);
}

void ReadAlong::go_on() {
  if (waiting_) std::exchange(waiting_, nullptr).resume();
}

/// Where words have to be compared, what the base goes on with is part of its word.
bool ReadAlong::may_speak(const Top1& next) const { return rule_.by_token(next).value_or(true); }

Task<ReadAlong::Done> ReadAlong::read() {
  std::size_t read = 0;
  Top1 next;
  while (true) {
    const std::vector<std::size_t> found = boundaries(draft_.text());
    const auto boundary = std::find_if(found.begin(), found.end(), [read](std::size_t at) { return at > read; });
    if (boundary == found.end()) {
      co_await growth();
      continue;
    }
    read = *boundary;
    base_.set_text(std::string(text_) + std::string(draft_.text().substr(0, read)));
    next = co_await base_.top1();
    if (next.silent()) co_return Done{};
    if (may_speak(next) || word_at(draft_.text(), read).starts_with(next.bytes)) break;
  }
  for (std::size_t run = 0; run < most_run_ahead && base_.room() > 1; ++run) {
    base_.push(next.token);
    next = co_await base_.top1();
    if (next.silent() || !may_speak(next)) break;
  }
  co_return Done{};
}

}  // namespace nudging
