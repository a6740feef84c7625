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
      // Far away a prompt holds up nobody else.
      (lane_.remote() || one->missing() <= longest_question ? questions : prompts).push_back(one);
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
    if (!questions.empty()) lane_.remember_batch({weight(), batch.answers});
    take_prompts(prompts);
    if (!plan_.shares.empty()) take_guesses(batch);
    take_branches();
    take_ahead(ahead);
    plan_.pass.edits = lane_.take_edits();
    if (lane_.remote()) plan_.pass.run = plan_.shares.front().lane->run();
    plan_.tokens = weight();
    for (const PlannedPass::Share& share : plan_.shares) plan_.sequences.push_back(share.lane->sequence());
    return std::move(plan_);
  }

 private:
  std::size_t used() const { return plan_.pass.tokens.size(); }
  /// What the pass costs, in tokens. Far away that are the places that are asked about: what is in front of them has a cache there.
  std::size_t weight() const { return lane_.remote() ? plan_.awaited.size() : used(); }

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
      batch.tokens = weight();
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
      SequenceLane& lane = *plan_.shares[i].lane;
      if (lane.wanted() != Wanted::distribution || lane.branches_asked() == 0) continue;
      stems_ = {own_stem(i)};
      for (std::size_t which = 0; which < lane.branches_asked(); ++which) {
        if (const std::optional<Branches::Planned> branch = lane.branch_off(which, size_ - used())) branch_off(i, which, *branch);
      }
    }
  }

  /// A context in the pass, from its first token that is decoded on, with the places of these tokens.
  struct Stem {
    std::size_t from;
    std::vector<Token> tokens;
    std::vector<std::size_t> entries;
  };

  /// The question's own tokens.
  Stem own_stem(std::size_t share) const {
    Stem stem{0, {}, {}};
    const llama_seq_id sequence = plan_.shares[share].lane->sequence();
    for (std::size_t i = 0; i < used(); ++i) {
      const Pass::Entry& entry = plan_.pass.tokens[i];
      if (entry.sequence != sequence) continue;
      if (stem.tokens.empty()) stem.from = entry.position;
      stem.tokens.push_back(entry.token);
      stem.entries.push_back(i);
    }
    return stem;
  }

  /// What a context has in common with others of the pass is decoded once.
  void branch_off(std::size_t share, std::size_t which, const Branches::Planned& branch) {
    const std::span<const Token> context = branch.context;
    const std::span<const Token> behind = context.subspan(branch.from);
    Stem stem{branch.from, {behind.begin(), behind.end()}, {}};
    for (const Stem& other : stems_) {
      // llama.cpp wants sequences that share a token of a pass to have as many in front of it.
      if (other.from != branch.from) continue;
      const auto end = std::mismatch(behind.begin(), behind.end() - 1, other.tokens.begin(), other.tokens.end()).first;
      const auto common = static_cast<std::size_t>(end - behind.begin());
      if (common > stem.entries.size())
        stem.entries.assign(other.entries.begin(), other.entries.begin() + static_cast<std::ptrdiff_t>(common));
    }
    for (const std::size_t entry : stem.entries) plan_.pass.tokens[entry].shared_with.push_back(branch.sequence);
    const std::size_t shared = stem.entries.size();
    for (std::size_t at = branch.from + shared; at < context.size(); ++at) {
      stem.entries.push_back(used());
      plan_.pass.tokens.push_back({context[at], at, branch.sequence, at + 1 == context.size() ? Wanted::distribution : Wanted::nothing});
    }
    SequenceLane& lane = *plan_.shares[share].lane;
    lane.branched_off(behind.size() - shared);
    plan_.shares[share].tokens += behind.size() - shared;
    plan_.pass.readings.push_back(lane.branch_reading(which));
    plan_.awaited.push_back({share, context.size(), which});
    stems_.push_back(std::move(stem));
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
  /// What the contexts of the question that is at hand may have in common.
  std::vector<Stem> stems_;
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
  if (result.measured) {
    lane.costs().note(tokens, ms);
    lane.company().passed(tokens, ms, planned.beside, planned.waited());
  }
  for (const PlannedPass::Share& share : planned.shares) {
    if (share.lane == nullptr) continue;
    const double part = lane.remote() ? 1 : static_cast<double>(share.tokens) / static_cast<double>(tokens);
    share.lane->took_part(share.stamp, {result.begin, result.end, tokens}, ms * part);
  }
  for (std::size_t i = 0; i < planned.awaited.size(); ++i) {
    const PlannedPass::Awaited& awaited = planned.awaited[i];
    const PlannedPass::Share& share = planned.shares[awaited.share];
    if (share.lane == nullptr || result.said[i].unsaid) continue;
    if (awaited.branch) {
      share.lane->resolve_branch(share.stamp, *awaited.branch, std::move(result.said[i]));
    } else {
      share.lane->resolve(share.stamp, awaited.length, std::move(result.said[i]), share.asked);
    }
  }
}

}  // namespace nudging
