#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nudge/draft.h"
#include "nudge/lane.h"
#include "nudge/task.h"

namespace nudging {

/// What is to be known of the aligned model where the base speaks (R64): nothing, what its drafts say anyway, or all.
enum class Signals : std::uint8_t { none, known, all };

/// R64: whether the aligned model would say what the base says.
class Agreement {
 public:
  Agreement(Lane& aligned, Signals signals) : aligned_(aligned), signals_(signals) {}

  /// The base takes over at byte `from` of this draft.
  void follow(const Draft& draft, std::size_t from) {
    expected_ = draft.text().substr(from);
    ends_ = draft.ended();
  }

  /// Whether the aligned model says `bytes` next, as far as its draft tells. What was told is used up.
  std::optional<bool> known(std::string_view bytes);
  /// Whether it is to be asked where that is not known.
  bool asks() const { return signals_ == Signals::all; }
  /// Asks it behind `text`.
  Task<bool> ask(std::string_view text, std::string_view bytes);

 private:
  Lane& aligned_;
  Signals signals_;
  /// What it is known to say next, and whether it would end behind that.
  std::string expected_;
  bool ends_ = false;
};

}  // namespace nudging
