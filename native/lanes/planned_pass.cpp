#include "lanes/planned_pass.h"

#include <algorithm>

namespace nudging {

namespace {

/// What a hand-over leaves to decode is seldom longer; what is longer is a prompt.
constexpr std::size_t longest_question = 32;
/// Prompts that join questions may make their pass so many times longer: what those who wait for the questions' answers notice.
constexpr double most_stall = 4;
/// But they always get so many tokens.
constexpr std::size_t least_of_a_prompt = 8;
/// What nobody waits for may make the pass of those who do so many times longer.
constexpr double most_delay = 1.1;

class Planner {
 public:
  explicit Planner(LoadedLane& lane) : lane_(lane), size_(lane.batch()) {}

  PlannedPass plan(std::span<SequenceLane* const> asking, std::span<SequenceLane* const> ahead) {
    std::vector<SequenceLane*> questions;
    std::vector<SequenceLane*> prompts;
    for (SequenceLane* one : asking) {
      one->prepare();
      (one->missing() <= longest_question ? questions : prompts).push_back(one);
    }
    Batch batch{0, 0};
    for (std::size_t i = 0; i < questions.size() && used() < size_; ++i) {
      // One token is kept for each lane behind this one.
      const std::size_t room = size_ - used() - std::min(size_ - used() - 1, questions.size() - i - 1);
      const std::size_t missing = questions[i]->missing();
      const std::size_t count = std::min(missing, room);
      take(*questions[i], count, true);
      if (count == missing) {
        ++batch.answers;
        complete_.push_back(plan_.shares.size() - 1);
      }
    }
    if (!questions.empty()) lane_.remember_batch({used(), batch.answers});
    take_prompts(prompts);
    if (!plan_.shares.empty()) take_guesses(batch);
    take_branches();
    take_ahead(ahead);
    plan_.pass.edits = lane_.take_edits();
    plan_.tokens = used();
    for (const PlannedPass::Share& share : plan_.shares) plan_.sequences.push_back(share.lane->sequence());
    return std::move(plan_);
  }

 private:
  std::size_t used() const { return plan_.pass.tokens.size(); }

  void put(SequenceLane& lane, std::size_t position, Wanted wanted) {
    plan_.pass.tokens.push_back({lane.cached_token(position), position, lane.sequence(), wanted});
    if (wanted == Wanted::nothing) return;
    plan_.pass.readings.push_back(lane.reading(position + 1));
    plan_.awaited.push_back({plan_.shares.size() - 1, position + 1});
  }

  /// The next `count` missing tokens. Only the one that completes the context is asked about.
  void take(SequenceLane& lane, std::size_t count, bool asked) {
    const bool completes = count == lane.missing();
    const std::size_t from = lane.cached();
    lane.decode(count);
    plan_.shares.push_back({&lane, lane.stamp(), count, asked});
    for (std::size_t k = 0; k < count; ++k) put(lane, from + k, completes && k + 1 == count ? lane.wanted() : Wanted::nothing);
  }

  void take_prompts(std::span<SequenceLane* const> prompts) {
    std::size_t room = size_ - used();
    if (used() > 0 && !prompts.empty()) room = std::min(room, std::max(lane_.costs().room(used(), most_stall), least_of_a_prompt));
    for (std::size_t i = 0; i < prompts.size() && room > 0; ++i) {
      const std::size_t fair = std::max<std::size_t>(1, room / (prompts.size() - i));
      const std::size_t count = std::min(prompts[i]->missing(), fair);
      take(*prompts[i], count, true);
      room -= count;
    }
  }

  /// Guesses stand behind the tokens that they follow, so they come last; a sequence may appear in more than one place of a pass.
  void take_guesses(Batch batch) {
    for (const std::size_t i : complete_) {
      PlannedPass::Share& share = plan_.shares[i];
      // Logits are kept of the last token only.
      if (share.lane->wanted() == Wanted::distribution) continue;
      batch.tokens = used();
      const std::size_t from = share.lane->cached();
      const std::size_t count = share.lane->guess(size_ - used(), batch);
      share.tokens += count;
      for (std::size_t k = 0; k < count; ++k) {
        put(*share.lane, from + k, Wanted::top1);
        plan_.awaited.back().share = i;
      }
    }
  }

  /// Beside a question for a distribution, what it takes along.
  void take_branches() {
    for (const std::size_t i : complete_) {
      PlannedPass::Share& share = plan_.shares[i];
      if (share.lane->wanted() != Wanted::distribution) continue;
      for (std::size_t which = 0; which < share.lane->branches_asked(); ++which) {
        const std::optional<Branches::Planned> branch = share.lane->branch_off(which, size_ - used());
        if (!branch) continue;
        const std::size_t length = branch->context.size();
        share.tokens += length - branch->from;
        for (std::size_t at = branch->from; at < length; ++at) {
          const Wanted wanted = at + 1 == length ? Wanted::distribution : Wanted::nothing;
          plan_.pass.tokens.push_back({branch->context[at], at, branch->sequence, wanted});
        }
        plan_.pass.readings.push_back(share.lane->branch_reading(which));
        plan_.awaited.push_back({i, length, which});
      }
    }
  }

  void take_ahead(std::span<SequenceLane* const> ahead) {
    std::size_t room = size_ - used();
    if (used() > 0) room = std::min(room, lane_.costs().room(used(), most_delay));
    for (SequenceLane* lane : ahead) {
      if (room == 0) return;
      if (lane->asking()) {
        lane->prepare();
        const std::size_t count = std::min(lane->missing(), room);
        take(*lane, count, false);
        room -= count;
      } else {
        const std::size_t from = lane->cached();
        lane->anticipate();
        plan_.shares.push_back({lane, lane->stamp(), 1, false});
        put(*lane, from, Wanted::top1);
        --room;
      }
    }
  }

  LoadedLane& lane_;
  std::size_t size_;
  PlannedPass plan_;
  /// Shares that complete a question's context.
  std::vector<std::size_t> complete_;
};

}  // namespace

PlannedPass plan_pass(LoadedLane& lane, std::span<SequenceLane* const> asking, std::span<SequenceLane* const> ahead) {
  return Planner(lane).plan(asking, ahead);
}

void settle(LoadedLane& lane, PlannedPass& planned, PassResult& result) {
  const std::size_t tokens = planned.tokens;
  const double ms = milliseconds(result.end - result.begin);
  lane.costs().note(tokens, ms);
  lane.company().passed(tokens, ms, planned.beside, planned.waited());
  for (const PlannedPass::Share& share : planned.shares) {
    if (share.lane == nullptr) continue;
    share.lane->took_part(share.stamp, {result.begin, result.end, tokens},
                          ms * static_cast<double>(share.tokens) / static_cast<double>(tokens));
  }
  for (std::size_t i = 0; i < planned.awaited.size(); ++i) {
    const PlannedPass::Awaited& awaited = planned.awaited[i];
    const PlannedPass::Share& share = planned.shares[awaited.share];
    if (share.lane == nullptr) continue;
    if (awaited.branch) {
      share.lane->resolve_branch(share.stamp, *awaited.branch, std::move(result.said[i]));
    } else {
      share.lane->resolve(share.stamp, awaited.length, std::move(result.said[i]), share.asked);
    }
  }
}

}  // namespace nudging
