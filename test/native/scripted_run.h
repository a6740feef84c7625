#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "nudge/answer.h"
#include "nudge/guard.h"
#include "nudge/nudge.h"
#include "nudge/reverse.h"
#include "scripted_lane.h"

namespace nudging {

inline constexpr auto end_of_text = ScriptedLane::end_of_text;
inline constexpr auto control = ScriptedLane::control;

inline const char* name(By by) {
  constexpr const char* names[] = {"agree", "confident", "base-end", "none", "end", "limit", "lead", "unsure"};
  return names[static_cast<int>(by)];
}

/// One generation over scripted models, with everything a test may want to look at.
struct Run {
  ScriptedLane base;
  ScriptedLane aligned;
  Rules rules{.gamma = 0.4F, .lookahead = 4, .ends = {}};
  Limits limits;
  std::string text;
  std::string rounds;
  std::vector<Piece> pieces;
  std::optional<Source> ended_by;
  std::size_t used = 0;
  std::size_t base_tokens = 0;
  Trace trace;
  /// Who watches, if somebody does.
  std::optional<GuardRules> guard;
  std::optional<std::string> refusal;
  std::size_t checks = 0;
  Tolerance base_tolerance;
  Tolerance aligned_tolerance;
  std::size_t ties = 0;

  StopReason run() { return run(nudge); }
  StopReason run_in_reverse() { return run(nudge_in_reverse); }

  StopReason run(Task<StopReason> (*algorithm)(Lane&, Lane&, Rules, Answer&, Record&)) {
    Answer answer(limits);
    Record record(base_tolerance, aligned_tolerance, true);
    const StopReason reason = write(algorithm(base, aligned, rules, answer, record), answer);
    read(answer);
    trace = record.trace();
    ties = record.ties();
    return reason;
  }

  StopReason run_alone(Source source) {
    Answer answer(limits);
    Record record(base_tolerance, aligned_tolerance, true);
    const StopReason reason = write(decode_alone(source == Source::base ? base : aligned, source, answer, record), answer);
    read(answer);
    ties = record.ties();
    return reason;
  }

  StopReason write(Task<StopReason> task, Answer& answer) {
    if (!guard) return complete(task);
    Guard watching(aligned, *guard, answer);
    auto watched = guarded(std::move(task), watching, answer);
    const StopReason reason = complete(watched);
    checks = watching.checks();
    refusal = watching.refusal();
    CHECK(!answer.unchecked());
    return reason;
  }

  static StopReason complete(Task<StopReason>& task) {
    task.start();
    CHECK(task.done());
    return task.take();
  }

  void read(const Answer& answer) {
    text = answer.text();
    ended_by = answer.ended_by();
    used = answer.used();
    base_tokens = answer.base_tokens();
    pieces = answer.pieces();
    std::string joined;
    for (const Round& round : answer.rounds()) {
      rounds += "[" + round.words + "|" + round.base + "|" + name(round.by) + "]";
      joined += round.words + round.base;
    }
    CHECK_EQUAL(joined, text);
    joined.clear();
    for (const Piece& piece : pieces) {
      CHECK(!piece.text.empty());
      joined += piece.text;
    }
    CHECK_EQUAL(joined, text);
  }
};

}  // namespace nudging
