#include "engine/job.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "basics/failure.h"
#include "choice/top1.h"
#include "engine/likeliest_texts.h"
#include "engine/mixers.h"
#include "nudge/reverse.h"

namespace nudging {

namespace {

/// Pieces in one event where nobody waits for them: few enough to be converted in well under a millisecond.
constexpr std::size_t pieces_at_once = 64;

/// Whether a prompt's own text leads into a thinking part, and where what it was prefilled with leads from there.
ThinkingPart::State thinking_start(const std::optional<ThinkingMarks>& marks, const Prompt& prompt) {
  std::string_view end = prompt.own_end;
  end = end.substr(0, end.find_last_not_of(" \t\n\v\f\r") + 1);
  ThinkingPart part(marks, marks && end.ends_with(marks->open) ? ThinkingPart::State::thinking : ThinkingPart::State::undecided);
  part.read(prompt.prefill);
  return part.state();
}

/// Where a generation's answer begins to be thought. The aligned model's template knows how its answers begin, if it takes part: not where
/// it only watches over the base.
ThinkingPart::State thinking_start(const std::optional<ThinkingMarks>& marks, Mode mode, const Prompts& prompts) {
  if (prompts[aligned_lane] && mode != Mode::base) return thinking_start(marks, *prompts[aligned_lane]);
  const auto first = std::find_if(prompts.begin(), prompts.end(), [](const auto& prompt) { return prompt.has_value(); });
  return first == prompts.end() ? ThinkingPart::State::undecided : thinking_start(marks, **first);
}

/// Checks that the lane's context, as it is now, fits.
void check_room(const SequenceLane& lane) {
  const std::string& name = lane.loaded().name();
  if (lane.tokens().empty()) throw Failure(FailureKind::prompt_empty, "the " + name + " prompt has no tokens: pass at least one character");
  if (lane.overflows()) {
    throw Failure(FailureKind::prompt_too_long, "the " + name + " prompt has " + std::to_string(lane.tokens().size()) +
                                                    " tokens and the context holds " + std::to_string(lane.loaded().length()) +
                                                    ": shorten the prompt or raise `context`");
  }
}

/// The sampling of one lane. Greedy settings are all the same: what a lane remembers stays good.
Sampling of_lane(Sampling sampling, std::size_t lane) {
  if (sampling.greedy()) return {};
  sampling.lane = static_cast<std::uint32_t>(lane);
  return sampling;
}

/// What the base is to be measured by (R17).
Measures measures_of(const Generation& generation) {
  const bool judged = generation.mode == Mode::nudge && generation.rules.deferral;
  return judged ? generation.rules.deferral->measures() : Measures{};
}

/// Tokens that a model far away may say in one call: an answer of any length takes few calls then, and little is said that nobody wants
/// because the answer has ended.
constexpr std::size_t most_run = 64;
/// Where a rule decides that is not for the far end to know, or a word ends the run.
constexpr std::size_t short_run = 8;

/// How one model of a generation goes on by itself (R3, R9, R26, R29).
OwnRun run_of(const Generation& generation, std::size_t lane) {
  if (generation.speculation.guesses == Speculation::Guesses::none) return {};
  const Rules& rules = generation.rules;
  const std::size_t most = std::min(most_run, generation.limits.max_tokens);
  switch (generation.mode) {
    case Mode::nudge:
      if (lane == aligned_lane) return {std::min(rules.lookahead, most_run), 0};
      return rules.deferral ? OwnRun{short_run, 0} : OwnRun{most, rules.gamma};
    case Mode::reverse: return lane == aligned_lane ? OwnRun{most, rules.gamma} : OwnRun{short_run, 0};
    case Mode::base:
    case Mode::aligned: return {most, 0};
    case Mode::ensemble:
    case Mode::proxy_tuning: break;
  }
  return {};
}

/// Asks what comes next, and for the `count` likeliest tokens if there are to be any.
Task<StopReason> inspect(SequenceLane& lane, std::size_t count, std::vector<Candidate>& candidates) {
  if (count == 0) {
    co_await lane.top1();
    co_return StopReason::end;
  }
  const std::span<const float> logits = co_await lane.distribution();
  for (const auto& [token, probability] : most_likely(logits, count)) {
    candidates.push_back({token, lane.loaded().vocabulary().bytes(token), probability});
  }
  co_return StopReason::end;
}

Score score_of(std::span<const float> logits, Token token, const Vocabulary& vocabulary) {
  const auto [top, probability] = most_likely(logits, 1).front();
  const double top_logprob = std::log(static_cast<double>(probability));
  const double below = static_cast<double>(logits[static_cast<std::size_t>(token)] - logits[static_cast<std::size_t>(top)]);
  return {vocabulary.bytes(token), top_logprob + below, top, vocabulary.bytes(top), top_logprob};
}

/// Judges each token of the context by what is said before it, and then asks what comes next.
Task<StopReason> score(SequenceLane& lane, std::size_t count, std::vector<Score>& scores, std::vector<Candidate>& candidates) {
  const std::vector<Token> tokens = lane.tokens();
  lane.pop(tokens.size() - 1);
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    scores.push_back(score_of(co_await lane.distribution(), tokens[i], lane.loaded().vocabulary()));
    lane.push(tokens[i]);
  }
  co_return co_await inspect(lane, count, candidates);
}

}  // namespace

Clock::time_point deadline_of(const Request& request, Clock::time_point submitted) {
  const auto* generation = std::get_if<Generation>(&request.work);
  return generation != nullptr && generation->timeout ? submitted + *generation->timeout : Clock::time_point::max();
}

Job::Job(const Request& request, Prompts prompts, Lanes lanes, Clock::time_point submitted)
    : id_(request.id), lanes_(std::move(lanes)), submitted_(submitted), deadline_(deadline_of(request, submitted)) {
  if (const auto* generation = std::get_if<Generation>(&request.work)) begin(*generation, std::move(prompts));
  if (const auto* inspection = std::get_if<Inspection>(&request.work)) begin(*inspection, std::move(prompts));
  task_->start();
}

Job::~Job() {
  task_.reset();
  for (SequenceLane* lane : lanes_) lane->withdraw();
}

void Job::begin(const Generation& generation, Prompts prompts) {
  Limits limits = generation.limits;
  limits.thinking_start = thinking_start(limits.thinking, generation.mode, prompts);
  if (limits.thinking || generation.whole) begun_ = Begun{id_, limits.thinking_start};
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (!prompts[i]) {
      lanes_[i]->stand_by();
      continue;
    }
    // The base checks what the aligned model expects. Nobody checks for the aligned model.
    const Speculation speculation =
        generation.mode == Mode::nudge && i == base_lane ? generation.speculation : Speculation{Speculation::Guesses::none, 0};
    Choice choice{own_sampling(generation, of_lane(generation.sampling, i)),
                  logit_changes(generation.biases[i], generation.repeat, lanes_[i]->loaded().vocabulary(), lanes_[i]->loaded().name()),
                  i == base_lane ? measures_of(generation) : Measures{}};
    lanes_[i]->begin(std::move(*prompts[i]), speculation, lanes_[aligned_lane], std::move(choice));
    if (lanes_[i]->loaded().remote()) lanes_[i]->expect_run(run_of(generation, i));
    check_room(*lanes_[i]);
  }
  if (generation.trace) {
    for (SequenceLane* lane : lanes_) lane->trace();
  }
  anticipates_ =
      generation.mode == Mode::nudge && !goes_by_token(generation) && generation.speculation.guesses != Speculation::Guesses::none;
  streams_ = generation.streams;
  answer_.emplace(std::move(limits));
  SequenceLane& base = *lanes_[base_lane];
  SequenceLane& aligned = *lanes_[aligned_lane];
  record_ = Record(base.loaded().tolerance(), aligned.loaded().tolerance(), generation.trace);
  if (!generation.guard) {
    task_.emplace(writing(generation));
    return;
  }
  guard_.emplace(aligned, generation.guard->rules, *answer_);
  task_.emplace(guarded(writing(generation), *guard_, *answer_));
}

/// What writes the answer.
Task<StopReason> Job::writing(const Generation& generation) {
  SequenceLane& base = *lanes_[base_lane];
  SequenceLane& aligned = *lanes_[aligned_lane];
  switch (generation.mode) {
    case Mode::nudge:
      if (goes_by_token(generation)) return together(generation);
      return nudge(base, aligned, generation.rules, *answer_, record_);
    case Mode::reverse: return nudge_in_reverse(base, aligned, generation.rules, *answer_, record_);
    case Mode::base: return decode_alone(base, Source::base, *answer_, record_);
    case Mode::aligned: return decode_alone(aligned, Source::nudge, *answer_, record_);
    case Mode::ensemble:
    case Mode::proxy_tuning: return together(generation);
  }
  throw Failure(FailureKind::internal, "a generation has an unknown mode");
}

/// What several models write together.
Task<StopReason> Job::together(const Generation& generation) {
  const std::vector<std::size_t> places = mixing_lanes(generation);
  std::vector<SequenceLane*> mixed;
  for (const std::size_t place : places) mixed.push_back(lanes_[place]);
  const Sampling sampling = of_lane(generation.sampling, places[0]);
  std::vector<Lane*> asked(mixed.begin(), mixed.end());
  if (generation.as_in_paper) {
    // The numbers of alternatives that the published code asks for.
    likeliest_ = std::make_unique<LikeliestTexts>(generation.mode == Mode::ensemble ? 5 : 100);
    return decode_as_in_paper(std::move(asked), *likeliest_, generation.rules.lookahead, *answer_, record_);
  }
  if (goes_by_bytes(generation, mixed)) {
    byte_mixing_.emplace(generation, mixed, sampling);
    return byte_mixing_->decode(*answer_, record_);
  }
  check_one_vocabulary(mixed);
  mixer_ = mixer_for(generation, std::move(mixed), sampling);
  return decode_together(std::move(asked), *mixer_, *answer_, record_);
}

void Job::begin(const Inspection& inspection, Prompts prompts) {
  const std::size_t which = inspection.lane;
  SequenceLane& lane = *lanes_[which];
  Choice choice{of_lane(inspection.sampling, which),
                logit_changes(inspection.biases, inspection.repeat, lane.loaded().vocabulary(), lane.loaded().name()),
                {.runner_up = true, .entropy = true}};
  lane.begin_from_nothing(std::move(*prompts[which]), std::move(choice));
  lane.set_text(inspection.text);
  for (const Token token : inspection.tokens) {
    if (token < 0 || static_cast<std::size_t>(token) >= lane.loaded().vocabulary().size()) {
      throw Failure(FailureKind::internal, "token " + std::to_string(token) + " is not in the vocabulary");
    }
    lane.push(token);
  }
  check_room(lane);
  inspected_ = &lane;
  task_.emplace(inspection.scores ? score(lane, inspection.candidates, scores_, candidates_)
                                  : inspect(lane, inspection.candidates, candidates_));
}

void Job::stop(StopReason reason) { stopped_ = reason; }

void Job::report(PiecesReady& ready) {
  if (!answer_) return;
  if (done() || stopped_) answer_->finish();
  const std::size_t count = answer_->reportable();
  if (count <= reported_) return;
  if (!first_piece_) first_piece_ = Clock::now();
  if (!streams_ && !done() && !stopped_ && count < reported_ + pieces_at_once) return;
  const std::span pieces(answer_->pieces());
  ready.pieces.insert(ready.pieces.end(), pieces.begin() + static_cast<std::ptrdiff_t>(reported_),
                      pieces.begin() + static_cast<std::ptrdiff_t>(count));
  ready.parts.push_back({id_, ready.pieces.size()});
  reported_ = count;
}

std::vector<DecodeSpan> Job::spans() const {
  std::vector<DecodeSpan> spans;
  for (const SequenceLane* lane : lanes_) {
    for (const Span& span : lane->spans()) {
      spans.push_back({lane->loaded().name(), milliseconds(span.begin - started_), milliseconds(span.end - started_), span.tokens});
    }
  }
  std::sort(spans.begin(), spans.end(), [](const DecodeSpan& a, const DecodeSpan& b) { return a.begin_ms < b.begin_ms; });
  return spans;
}

Event Job::finish() {
  const StopReason reason = done() ? task_->take() : *stopped_;
  if (inspected_ != nullptr) {
    if (!done()) return RequestFailed{id_, FailureKind::internal, "the inspection was aborted"};
    return Inspected{id_, inspected_->last_answer(), std::move(candidates_), inspected_->tokens(), std::move(scores_)};
  }
  const Clock::time_point now = Clock::now();
  GenerationStats stats{};
  for (SequenceLane* lane : lanes_) stats.lanes.push_back(lane->stats());
  stats.tokens = answer_->used();
  stats.base_tokens = answer_->base_tokens();
  stats.mixed_tokens = answer_->mixed_tokens();
  stats.ties = record_.ties();
  stats.queued_ms = milliseconds(started_ - submitted_);
  stats.first_piece_ms = first_piece_ ? milliseconds(*first_piece_ - started_) : 0;
  stats.total_ms = milliseconds(now - started_);
  std::optional<GuardReport> report;
  if (guard_) report = GuardReport{guard_->checks(), lanes_[aligned_lane]->aside_stats(), guard_->refusal()};
  return std::make_unique<Finished>(
      Finished{id_, reason, answer_->ended_by(), std::string(answer_->text()), answer_->rounds(), record_.trace(), spans(), stats, report});
}

}  // namespace nudging
