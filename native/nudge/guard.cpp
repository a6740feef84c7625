#include "nudge/guard.h"

#include <utility>

#include "nudge/utf8.h"

namespace nudging {

Guard::Guard(Lane& aligned, GuardRules rules, Answer& answer)
    : aligned_(aligned), rules_(std::move(rules)), phrases_(rules_.phrases), answer_(answer) {
  answer_.guard(this);
}

Task<bool> Guard::look() {
  ++checks_;
  std::string said;
  Utf8Stream characters;
  aligned_.step_aside(answer_.text());
  for (std::size_t asked = 0; asked < rules_.tokens; ++asked) {
    const Top1 next = co_await aligned_.top1();
    if (next.ends) break;
    characters.feed(next.bytes, said);
    // Where nothing more fits, the next question ends the request: an answer does not pass because there was no room to ask. Unless what
    // was said is enough.
    if (aligned_.room() == 0 && phrases_.in(said)) break;
    aligned_.push(next.token);
  }
  aligned_.step_back();
  const bool refuses = phrases_.in(said);
  looked_at_ = answer_.used();
  if (refuses) {
    refusal_ = std::move(said);
    answer_.refuse();
  } else {
    answer_.pass();
  }
  co_return refuses;
}

Task<StopReason> guarded(Task<StopReason> writing, Guard& guard, Answer& answer) {
  if (co_await guard.look()) co_return StopReason::refused;
  const StopReason reason = co_await writing;
  if (reason == StopReason::refused || !answer.unchecked()) co_return reason;
  co_return co_await guard.look() ? StopReason::refused : reason;
}

}  // namespace nudging
