#include "lanes/sequence_lane.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "basics/stopwatch.h"

namespace nudging {

namespace {

/// More text than any number of guesses worth decoding.
constexpr std::size_t most_guessed_bytes = 256;
/// Tokens that the aligned model drafts for nothing but a guess.
constexpr std::size_t most_made_ahead = 16;
/// Guesses that join a request's first question may make it so many times longer: the first text of an answer is what its reader waits for.
constexpr double most_delay = 1.1;
/// How often a guess must come true for the aligned model to guess on behind it.
constexpr double least_trusted = 0.5;
/// How far from the end of a prompt without a place to cut its tokens are taken to be settled, in bytes: several times the longest token.
constexpr std::size_t most_unsettled = 512;
/// Tokens decoded ahead of any question. Further ones hardly ever come true.
constexpr std::size_t most_anticipated = 16;

std::size_t common_prefix(const std::vector<Token>& a, const std::vector<Token>& b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

void SequenceLane::begin_from_nothing(Prompt prompt, Choice choice) {
  forget();
  begin(std::move(prompt), {Speculation::Guesses::none, 0}, nullptr, std::move(choice));
  from_nothing_ = true;
}

void SequenceLane::begin(Prompt prompt, Speculation speculation, const SequenceLane* guesser, Choice choice) {
  // Its last request may have ended in the middle.
  step_back();
  // Other settings choose other tokens from the same logits, which are not kept.
  if (choice != choice_) {
    answers_.assign(answers_.size(), std::nullopt);
    ++cache_stamp_;
  }
  choice_ = std::move(choice);
  changes_ = choice_.changes.none() ? nullptr : std::make_shared<const LogitChanges>(choice_.changes);
  prompt_ = std::move(prompt);
  speculation_ = speculation;
  run_ = {};
  // A wrong guess would cost such a memory everything that it has.
  if (speculation.guesses == Speculation::Guesses::as_pays && !lane_.can_cut()) speculation_.guesses = Speculation::Guesses::none;
  guesser_ = guesser;
  from_nothing_ = false;
  prompt_counted_ = false;
  drop_guess();
  branches_.ask({});
  branches_.cut(sequence_, {});
  start_counting();
  withdraw();
  ahead_ = false;
  set_text({});
  stats_.prompt_tokens = wanted_.size();
}

void SequenceLane::start_counting() {
  ++request_stamp_;
  stats_ = {};
  aside_stats_ = {};
  traced_ = false;
  spans_.clear();
  anticipated_ = 0;
}

void SequenceLane::forget() {
  // llama.cpp takes -1 for all sequences.
  if (sequence_ >= 0) lane_.edit({MemoryEdit::Kind::clear, sequence_});
  branches_.cut(sequence_, {});
  cached_.clear();
  answers_.clear();
  came_ahead_.clear();
  logits_.clear();
  keys_.cut(0);
  alike_ = 0;
  ++cache_stamp_;
}

void SequenceLane::set_text(std::string_view text) {
  const Stopwatch watch(stats_.tokenize_ms);
  const std::vector<Token>& tokens = tokens_behind_head(text);
  wanted_ = prompt_->head;
  wanted_.insert(wanted_.end(), tokens.begin(), tokens.end());
  alike_ = 0;
}

void SequenceLane::step_aside(std::string_view text) {
  Aside aside{wanted_, stats_, Clock::now(), 0};
  const bool behind_answer = !text.empty() || !prompt_->prefill.empty();
  set_text(std::string(text) + (behind_answer ? prompt_->turn.text : std::string()));
  if (behind_answer) wanted_.insert(wanted_.end(), prompt_->turn.tokens.begin(), prompt_->turn.tokens.end());
  aside.from = wanted_.size();
  aside_ = std::move(aside);
  disown_answers(aside_->from);
}

void SequenceLane::step_back() {
  if (!aside_) return;
  const LaneStats& before = aside_->before;
  aside_stats_.decoded_tokens += stats_.decoded_tokens - before.decoded_tokens;
  aside_stats_.decodes += stats_.decodes - before.decodes;
  aside_stats_.questions += stats_.questions - before.questions;
  aside_stats_.remembered += stats_.remembered - before.remembered;
  aside_stats_.decode_ms += stats_.decode_ms - before.decode_ms;
  aside_stats_.wait_ms += milliseconds(Clock::now() - aside_->since);
  disown_answers(aside_->from);
  wanted_ = std::move(aside_->wanted);
  alike_ = 0;
  aside_.reset();
}

/// Forgets what was said from so many tokens on, where the request and what steps aside do not choose alike.
void SequenceLane::disown_answers(std::size_t from) {
  if (choice_.sampling.greedy() && choice_.changes.none()) return;
  for (std::size_t length = std::max<std::size_t>(from, 1); length <= answers_.size(); ++length) answers_[length - 1].reset();
  std::erase_if(came_ahead_, [from](std::size_t at) { return at >= from; });
  logits_.clear();
  ++cache_stamp_;
}

const std::vector<Token>& SequenceLane::tokens_behind_head(std::string_view text) {
  const std::string joined = prompt_->tail + std::string(text);
  if (!from_nothing_) return prompt_->followed.follow(joined);
  if (prompt_->text == text) return prompt_->whole;
  return whole_ = lane_.vocabulary().tokenize(joined);
}

std::size_t SequenceLane::settled() {
  const std::string_view text = prompt_->tail;
  const auto stays = [this, whole = spell(text)](std::string_view begin) {
    const std::vector<Token>& tokens = spell(begin);
    return tokens.size() <= whole.size() && std::equal(tokens.begin(), tokens.end(), whole.begin());
  };
  // What a chat template writes in front of an answer is in these tokens and no others: so the model has learnt it.
  const std::size_t control_tokens = prompt_->head.size() - (lane_.vocabulary().leading() >= 0 ? 1 : 0);
  if (control_tokens > 0 && !prompt_->own_end.empty() && text.ends_with(prompt_->prefill)) {
    const std::string_view own = text.substr(0, text.size() - prompt_->prefill.size());
    if (stays(own)) return own.size();
  }
  const std::size_t split = lane_.vocabulary().last_split(text);
  // What has no place to cut is taken to be settled where it is far away, if the tokens there are those of the whole. Only at whole
  // characters.
  for (std::size_t at = text.size() - std::min(text.size(), most_unsettled); at > split; --at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80 && stays(text.substr(0, at))) return at;
  }
  return split;
}

const std::vector<Token>& SequenceLane::spell(std::string_view text) {
  const Stopwatch watch(stats_.tokenize_ms);
  return prompt_->followed.follow(text);
}

void SequenceLane::set_tokens(std::span<const Token> tokens) {
  alike_ = 0;
  wanted_ = prompt_->head;
  wanted_.insert(wanted_.end(), tokens.begin(), tokens.end());
}

void SequenceLane::take_along(std::vector<std::vector<Token>> contexts) {
  for (std::vector<Token>& context : contexts) context.insert(context.begin(), prompt_->head.begin(), prompt_->head.end());
  branches_.ask(std::move(contexts));
}

std::size_t SequenceLane::reusable() {
  const std::size_t most = std::min(cached_.size(), wanted_.size());
  while (alike_ < most && cached_[alike_] == wanted_[alike_]) ++alike_;
  return alike_;
}

void SequenceLane::pop(std::size_t tokens) {
  wanted_.resize(wanted_.size() - tokens);
  alike_ = std::min(alike_, wanted_.size());
}

void SequenceLane::expect(const Guess& guess) {
  if (speculation_.guesses == Speculation::Guesses::none) return;
  judge_guess();
  std::string_view text = guess.text();
  // What is left of a guess that was right so far is the same text, tokenised already.
  if (!text.empty() && !guess_.empty() && guess_at_ == wanted_.size()) return;
  drop_guess();
  if (text.empty()) return;
  text = text.substr(0, most_guessed_bytes);
  if (lane_.vocabulary().prefixes_space()) {
    // The tokenizer would put a space in front: what begins in the middle of a word cannot be tokenised alone.
    if (!text.starts_with(' ')) return;
    text.remove_prefix(1);
  }
  const Stopwatch watch(stats_.tokenize_ms);
  guess_ = lane_.vocabulary().tokenize(text);
  std::size_t begin = 0;
  for (const Token token : guess_) {
    const std::size_t end = begin + lane_.vocabulary().bytes(token).size();
    guess_probabilities_.push_back(guess.probability(begin, end));
    begin = end;
  }
  guess_at_ = wanted_.size();
  guess_decoded_ = 0;
}

void SequenceLane::drop_guess() {
  guess_.clear();
  guess_probabilities_.clear();
}

std::size_t SequenceLane::guesses_wanted() {
  // A model far away goes on by itself in the same call.
  if (guesser_ == nullptr || run_.tokens > 0) return 0;
  if (speculation_.guesses == Speculation::Guesses::fixed) return std::min(most_made_ahead, speculation_.count);
  if (speculation_.guesses == Speculation::Guesses::none) return 0;
  std::array<double, most_made_ahead> rates;
  // How sure the aligned model will be is not known before it is asked.
  for (std::size_t place = 0; place < rates.size(); ++place) rates[place] = acceptance_.rate(place);
  // They would join a batch like the last one.
  return guesses_worth_drafting(lane_.costs(), rates, guesser_->lane_.costs().of(1), lane_.last_batch());
}

bool SequenceLane::trusts(float probability) const {
  // A fixed number of guesses was asked for whether they pay or not.
  return speculation_.guesses == Speculation::Guesses::fixed || acceptance_.rate(0, probability) >= least_trusted;
}

std::size_t SequenceLane::guess(std::size_t room, Batch batch) {
  if (guess_.empty() || guess_at_ != wanted_.size()) return 0;
  const std::size_t left = lane_.length() - std::min(lane_.length(), wanted_.size());
  if (speculation_.guesses == Speculation::Guesses::as_pays && stats_.questions <= 1 && !lane_.remote())
    room = std::min(room, lane_.costs().room(batch.tokens, most_delay));
  std::vector<double> rates(std::min({room, left, guess_.size()}));
  for (std::size_t place = 0; place < rates.size(); ++place) rates[place] = acceptance_.rate(place, guess_probabilities_[place]);
  const std::size_t count = worth(rates, batch);
  cached_.insert(cached_.end(), guess_.begin(), guess_.begin() + static_cast<std::ptrdiff_t>(count));
  answers_.resize(cached_.size());
  guess_decoded_ = count;
  stats_.decoded_tokens += count;
  stats_.guessed += count;
  return count;
}

std::size_t SequenceLane::worth(std::span<const double> rates, Batch batch) const {
  switch (speculation_.guesses) {
    case Speculation::Guesses::none: return 0;
    case Speculation::Guesses::fixed: return std::min(rates.size(), speculation_.count);
    case Speculation::Guesses::as_pays:
      // As long as nothing is known of the way there, it is taken to be long.
      if (lane_.remote() && lane_.costs().largest() == 0) return rates.size();
      return guesses_worth(lane_.costs(), rates, batch);
  }
  return 0;
}

/// The next question shows how far the last guess was right. A guess that was not decoded is judged as well: that costs nothing, and shows
/// when guessing begins to pay.
void SequenceLane::judge_guess() {
  if (guess_.empty() || wanted_.size() <= guess_at_) return;
  std::size_t right = 0;
  while (right < guess_.size() && guess_at_ + right < wanted_.size() && wanted_[guess_at_ + right] == guess_[right]) ++right;
  const bool wrong = right < guess_.size() && guess_at_ + right < wanted_.size();
  for (std::size_t i = 0; i < right; ++i) acceptance_.note(guess_place_ + i, guess_probabilities_[i], true);
  if (wrong) acceptance_.note(guess_place_ + right, guess_probabilities_[right], false);
  stats_.guesses_right += std::min(right, guess_decoded_);
  guess_decoded_ -= std::min(guess_decoded_, right);
  guess_at_ += right;
  guess_place_ += right;
  if (wrong) return drop_guess();
  // What is left of a right guess stands for the rest of the text.
  guess_.erase(guess_.begin(), guess_.begin() + static_cast<std::ptrdiff_t>(right));
  guess_probabilities_.erase(guess_probabilities_.begin(), guess_probabilities_.begin() + static_cast<std::ptrdiff_t>(right));
}

bool SequenceLane::answered(Wanted wanted) {
  ++stats_.questions;
  anticipated_ = 0;
  if (!ahead_) lane_.company().asked();
  if (!remembers(wanted)) return false;
  ++stats_.remembered;
  if (!ahead_ && std::erase(came_ahead_, wanted_.size()) > 0) lane_.company().used_ahead();
  count_prompt();
  return true;
}

/// Whether what is asked at the end of the context is known without a pass.
bool SequenceLane::remembers(Wanted wanted) {
  const std::size_t length = wanted_.size();
  if (length == 0 || length > cached_.size() || !answers_[length - 1] || reusable() < length) return false;
  return wanted == Wanted::top1 || (!logits_.empty() && length == cached_.size());
}

void SequenceLane::ask(Wanted wanted, std::coroutine_handle<> asker) {
  asker_ = asker;
  wanted_kind_ = wanted;
  ++question_stamp_;
}

/// What branched off in an earlier pass may have become the context.
void SequenceLane::graft() {
  const std::optional<Branches::Stem> stem = branches_.longest(sequence_, wanted_);
  const std::size_t length = stem ? std::min(stem->length, wanted_.size() - 1) : 0;
  const std::size_t kept = reusable();
  if (length <= kept) return;
  if (kept < cached_.size()) cut(kept);
  lane_.edit({MemoryEdit::Kind::graft, sequence_, length, stem->sequence, kept});
  cached_.assign(wanted_.begin(), wanted_.begin() + static_cast<std::ptrdiff_t>(length));
  answers_.resize(length);
  logits_.clear();
}

void SequenceLane::prepare() {
  graft();
  // The last token is decoded in any case: its logits are what is asked for.
  const std::size_t kept = std::min(reusable(), wanted_.size() - 1);
  if (kept < cached_.size()) cut(kept);
  branches_.cut(sequence_, std::span(wanted_).first(kept));
  // After the cut: a memory that cannot be cut keeps nothing.
  count_prompt();
}

/// Notes, at the first question, how much of the prompt is in the cache.
void SequenceLane::count_prompt() {
  if (!prompt_counted_) stats_.cached_prompt_tokens = std::min<std::size_t>(cached_.size(), stats_.prompt_tokens);
  prompt_counted_ = true;
}

std::size_t SequenceLane::shared_with(const SequenceLane& other) const { return common_prefix(other.cached_, wanted_); }

std::size_t SequenceLane::will_share_with(const SequenceLane& other) const { return common_prefix(other.wanted_, wanted_); }

std::size_t SequenceLane::kept_of(std::span<const Token> tokens) const {
  return static_cast<std::size_t>(std::mismatch(cached_.begin(), cached_.end(), tokens.begin(), tokens.end()).first - cached_.begin());
}

void SequenceLane::trade_caches(SequenceLane& other) {
  for (SequenceLane* lane : {this, &other}) lane->branches_.cut(lane->sequence_, {});
  std::swap(sequence_, other.sequence_);
  std::swap(cached_, other.cached_);
  for (SequenceLane* lane : {this, &other}) {
    // Answers belong to a request's way of choosing tokens.
    lane->answers_.assign(lane->cached_.size(), std::nullopt);
    lane->came_ahead_.clear();
    lane->logits_.clear();
    lane->keys_.cut(0);
    lane->alike_ = 0;
    ++lane->cache_stamp_;
  }
}

void SequenceLane::copy_prefix(const SequenceLane& from, std::size_t length) {
  lane_.edit({MemoryEdit::Kind::copy, sequence_, length, from.sequence_});
  cached_.assign(from.cached_.begin(), from.cached_.begin() + static_cast<std::ptrdiff_t>(length));
  answers_.assign(length, std::nullopt);
  came_ahead_.clear();
  logits_.clear();
  keys_.cut(0);
  alike_ = 0;
  ++cache_stamp_;
}

void SequenceLane::cut(std::size_t length) {
  ++stats_.rewinds;
  stats_.rewound_tokens += cached_.size() - length;
  if (lane_.can_cut()) {
    lane_.edit({MemoryEdit::Kind::cut, sequence_, length});
  } else {
    // Recurrent state holds no past to go back to: start again from nothing.
    ++stats_.recomputations;
    lane_.edit({MemoryEdit::Kind::clear, sequence_});
    length = 0;
  }
  logits_.clear();
  cached_.resize(length);
  std::erase_if(came_ahead_, [length](std::size_t at) { return at > length; });
  alike_ = std::min(alike_, length);
  keys_.cut(length);
  answers_.resize(length);
}

Pass::Reading SequenceLane::reading(std::size_t length) {
  if (aside_) return {{Sampling{}, 0}, nullptr, {}, {}};
  const Sampling& sampling = choice_.sampling;
  Pass::Reading reading{{sampling, sampling.greedy() ? 0 : keys_.of(cached_, length)}, changes_, {}, choice_.measures};
  if (changes_ && changes_->repeat.factor != 1) {
    const std::size_t from = length - std::min<std::size_t>(length, changes_->repeat.window);
    reading.recent.assign(cached_.begin() + static_cast<std::ptrdiff_t>(from), cached_.begin() + static_cast<std::ptrdiff_t>(length));
  }
  return reading;
}

void SequenceLane::decode(std::size_t count) {
  const auto from = wanted_.begin() + static_cast<std::ptrdiff_t>(cached_.size());
  before_ = cached_.size();
  branched_ = 0;
  cached_.insert(cached_.end(), from, from + static_cast<std::ptrdiff_t>(count));
  answers_.resize(cached_.size());
  logits_.clear();
  guess_decoded_ = 0;
  guess_place_ = 0;
  stats_.decoded_tokens += count;
  ++stats_.decodes;
}

std::optional<Branches::Planned> SequenceLane::branch_off(std::size_t which, std::size_t room) {
  const std::size_t left = lane_.length() - std::min(lane_.length(), wanted_.size() + branched_);
  return branches_.plan(which, sequence_, cached_, before_, std::min(room, left));
}

void SequenceLane::branched_off(std::size_t tokens) {
  branched_ += tokens;
  stats_.decoded_tokens += tokens;
}

Pass::Reading SequenceLane::branch_reading(std::size_t which) const {
  // Only its distribution is wanted: nothing is drawn from it.
  Pass::Reading reading{{}, changes_, {}, {}};
  if (!changes_ || changes_->repeat.factor == 1) return reading;
  const std::span<const Token> context = branches_.context(which);
  const std::span<const Token> recent = context.last(std::min<std::size_t>(context.size(), changes_->repeat.window));
  reading.recent.assign(recent.begin(), recent.end());
  return reading;
}

bool SequenceLane::can_anticipate() const {
  return !asking() && !aside_ && lane_.can_cut() && anticipated_ < most_anticipated && cached_.size() < lane_.length() &&
         !cached_.empty() && answers_.back() && !answers_.back()->ends;
}

void SequenceLane::anticipate() {
  cached_.push_back(answers_.back()->token);
  answers_.emplace_back();
  logits_.clear();
  ++anticipated_;
  ++stats_.anticipated;
  ++stats_.decoded_tokens;
  ++stats_.decodes;
}

void SequenceLane::resolve(const Stamp& stamp, std::size_t length, PassResult::Said said, bool waited) {
  if (stamp.request == request_stamp_) stats_.top1_ms += said.ms;
  if (stamp.cache != cache_stamp_ || length > cached_.size()) return;
  answers_[length - 1] = said.top1;
  if (!waited) {
    came_ahead_.push_back(length);
    lane_.company().decoded_ahead(1);
  }
  if (length == cached_.size()) logits_ = std::move(said.logits);
}

void SequenceLane::resolve_branch(const Stamp& stamp, std::size_t which, PassResult::Said said) {
  if (stamp.request == request_stamp_) stats_.top1_ms += said.ms;
  // Whoever asked has gone, and somebody else may be asking.
  if (stamp.question != question_stamp_ || which >= branches_.asked()) return;
  branches_.resolve(which, std::move(said.logits));
}

void SequenceLane::took_part(const Stamp& stamp, const Span& span, double ms) {
  if (stamp.request != request_stamp_) return;
  stats_.decode_ms += ms;
  if (traced_) spans_.push_back(span);
}

void SequenceLane::resume() { std::exchange(asker_, nullptr).resume(); }

}  // namespace nudging
