#pragma once

#include <coroutine>
#include <optional>
#include <string_view>

#include "nudge/draft.h"
#include "nudge/lane.h"
#include "nudge/rules/deferral_rule.h"
#include "nudge/task.h"

namespace nudging {

/// While the aligned model drafts, the base reads along: it is asked at each boundary as soon as the draft has it, and once it would take
/// over it goes on in its own tokens. Nothing is decided here. The base remembers its answers, so that it has them at hand when the draft
/// is complete and `nudge` asks in earnest (R5 to R9). Only where the base answers while the aligned model does; elsewhere it would keep
/// the draft waiting.
class ReadAlong {
 public:
  /// `draft` is read while it grows.
  ReadAlong(Lane& base, std::string_view text, const Draft& draft, const DeferralRule& rule);
  /// Takes back what is asked.
  ~ReadAlong();
  ReadAlong(const ReadAlong&) = delete;
  ReadAlong& operator=(const ReadAlong&) = delete;

  /// The draft has grown.
  void go_on();

 private:
  struct Done {};
  /// `co_await growth()`: until the draft has grown.
  auto growth() {
    struct Growth {
      ReadAlong& reader;
      bool await_ready() { return false; }
      void await_suspend(std::coroutine_handle<> waiting) { reader.waiting_ = waiting; }
      void await_resume() {}
    };
    return Growth{*this};
  }
  bool may_speak(const Top1& next) const;
  Task<Done> read();

  Lane& base_;
  std::string_view text_;
  const Draft& draft_;
  const DeferralRule& rule_;
  /// Set while it waits for the draft to grow.
  std::coroutine_handle<> waiting_;
  // Last: it refers to everything above.
  std::optional<Task<Done>> task_;
};

}  // namespace nudging
