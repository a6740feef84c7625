#include "engine/job.h"

#include <algorithm>
#include <span>
#include <string>

#include "basics/failure.h"
#include "choice/top1.h"

namespace nudging {

namespace {

/// Pieces in one event where nobody waits for them: few enough to be converted in well under a millisecond.
constexpr std::size_t pieces_at_once = 64;

Prompt compile(const LoadedLane& lane, const PromptSource& source) {
  const Vocabulary& vocabulary = lane.vocabulary();
  std::vector<Segment> segments;
  if (const auto* chat = std::get_if<Chat>(&source)) {
    if (chat->chat_template) {
      segments = ChatTemplate(*chat->chat_template).render(chat->messages, vocabulary);
    } else if (const ChatTemplate* own = lane.model().chat_template()) {
      segments = own->render(chat->messages, vocabulary);
    } else {
      throw Failure(FailureKind::template_missing,
                    "\"" + lane.model().path() + "\" has no chat template: pass one as `alignedPrompt` (--aligned-prompt FILE), or a raw prompt");
    }
  } else {
    segments = std::get<std::vector<Segment>>(source);
  }
  std::size_t bytes = 0;
  for (const Segment& segment : segments) bytes += segment.text.size();
  if (bytes == 0) throw Failure(FailureKind::prompt_empty, "the " + lane.name() + " prompt is empty: pass at least one character");
  // Known before anything is tokenised, which could take seconds.
  if (const std::size_t least = vocabulary.least_tokens(bytes); least > lane.length()) {
    throw Failure(FailureKind::prompt_too_long, "the " + lane.name() + " prompt has " + std::to_string(bytes) + " bytes, which are " + std::to_string(least) +
                                                    " tokens or more, and the context holds " + std::to_string(lane.length()) + ": shorten the prompt or raise `context`");
  }
  return compile_prompt(vocabulary, segments);
}

/// Checks that the lane's context, as it is now, fits.
void check_room(const SequenceLane& lane) {
  const std::string& name = lane.loaded().name();
  if (lane.tokens().empty()) throw Failure(FailureKind::prompt_empty, "the " + name + " prompt has no tokens: pass at least one character");
  if (lane.overflows()) {
    throw Failure(FailureKind::prompt_too_long, "the " + name + " prompt has " + std::to_string(lane.tokens().size()) + " tokens and the context holds " +
                                                    std::to_string(lane.loaded().length()) + ": shorten the prompt or raise `context`");
  }
}

bool uses(Mode mode, std::size_t lane) { return mode == Mode::nudge ? lane == base_lane || lane == aligned_lane : lane == (mode == Mode::base ? base_lane : aligned_lane); }

/// The sampling of one lane. Greedy settings are all the same: what a lane remembers stays good.
Sampling of_lane(Sampling sampling, std::size_t lane) {
  if (sampling.greedy()) return {};
  sampling.lane = static_cast<std::uint32_t>(lane);
  return sampling;
}

/// Asks what comes next, and for the `count` likeliest tokens if there are to be any.
Task<StopReason> inspect(SequenceLane& lane, std::size_t count, std::vector<Candidate>& candidates) {
  if (count == 0) {
    co_await lane.top1();
    co_return StopReason::end;
  }
  const std::span<const float> logits = co_await lane.distribution();
  for (const auto& [token, probability] : most_likely(logits, count)) candidates.push_back({token, lane.loaded().vocabulary().bytes(token), probability});
  co_return StopReason::end;
}

}  // namespace

Clock::time_point deadline_of(const Request& request, Clock::time_point submitted) {
  const auto* generation = std::get_if<Generation>(&request.work);
  return generation != nullptr && generation->timeout ? submitted + *generation->timeout : Clock::time_point::max();
}

Prompts compile_prompts(const Request& request, std::span<const LoadedLane* const> lanes) {
  Prompts prompts(lanes.size());
  if (const auto* inspection = std::get_if<Inspection>(&request.work)) {
    if (inspection->lane >= lanes.size()) {
      throw Failure(FailureKind::internal, "lane " + std::to_string(inspection->lane) + " is not one of this engine's " + std::to_string(lanes.size()));
    }
    const LoadedLane& lane = *lanes[inspection->lane];
    Prompt& prompt = prompts[inspection->lane].emplace(compile(lane, inspection->prompt));
    prompt.text = inspection->text;
    prompt.whole = lane.vocabulary().tokenize(prompt.tail + inspection->text);
    return prompts;
  }
  const auto& generation = std::get<Generation>(request.work);
  for (std::size_t i = 0; i < generation.prompts.size(); ++i) {
    if (uses(generation.mode, i)) prompts[i] = compile(*lanes[i], generation.prompts[i]);
  }
  return prompts;
}

Job::Job(const Request& request, Prompts prompts, Lanes lanes, Clock::time_point submitted)
    : id_(request.id), lanes_(std::move(lanes)), submitted_(submitted), deadline_(deadline_of(request, submitted)) {
  std::visit([&](const auto& work) { begin(work, std::move(prompts)); }, request.work);
  task_->start();
}

Job::~Job() {
  task_.reset();
  for (SequenceLane* lane : lanes_) lane->withdraw();
}

void Job::begin(const Generation& generation, Prompts prompts) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (!prompts[i]) {
      lanes_[i]->stand_by();
      continue;
    }
    // The base checks what the aligned model expects. Nobody checks for the aligned model.
    const Speculation speculation = generation.mode == Mode::nudge && i == base_lane ? generation.speculation : Speculation{Speculation::Guesses::none, 0};
    Choice choice{of_lane(generation.sampling, i), logit_changes(generation.biases[i], generation.repeat, lanes_[i]->loaded().vocabulary(), lanes_[i]->loaded().name())};
    lanes_[i]->begin(std::move(*prompts[i]), speculation, lanes_[aligned_lane], std::move(choice));
    check_room(*lanes_[i]);
  }
  if (generation.trace) {
    for (SequenceLane* lane : lanes_) lane->trace();
  }
  anticipates_ = generation.mode == Mode::nudge && generation.speculation.guesses != Speculation::Guesses::none;
  streams_ = generation.streams;
  answer_.emplace(generation.limits);
  SequenceLane& base = *lanes_[base_lane];
  SequenceLane& aligned = *lanes_[aligned_lane];
  record_ = Record(base.loaded().tolerance(), aligned.loaded().tolerance(), generation.trace);
  switch (generation.mode) {
    case Mode::nudge: task_.emplace(nudge(base, aligned, generation.rules, *answer_, record_)); break;
    case Mode::base: task_.emplace(decode_alone(base, Source::base, *answer_, record_)); break;
    case Mode::aligned: task_.emplace(decode_alone(aligned, Source::nudge, *answer_, record_)); break;
  }
}

void Job::begin(const Inspection& inspection, Prompts prompts) {
  const std::size_t which = inspection.lane;
  SequenceLane& lane = *lanes_[which];
  Choice choice{of_lane(inspection.sampling, which), logit_changes(inspection.biases, inspection.repeat, lane.loaded().vocabulary(), lane.loaded().name())};
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
  task_.emplace(inspect(lane, inspection.candidates, candidates_));
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
  ready.pieces.insert(ready.pieces.end(), pieces.begin() + static_cast<std::ptrdiff_t>(reported_), pieces.begin() + static_cast<std::ptrdiff_t>(count));
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
    return Inspected{id_, inspected_->last_answer(), std::move(candidates_), inspected_->tokens()};
  }
  const Clock::time_point now = Clock::now();
  GenerationStats stats{};
  for (SequenceLane* lane : lanes_) stats.lanes.push_back(lane->stats());
  stats.tokens = answer_->used();
  stats.base_tokens = answer_->base_tokens();
  stats.ties = record_.ties();
  stats.queued_ms = milliseconds(started_ - submitted_);
  stats.first_piece_ms = first_piece_ ? milliseconds(*first_piece_ - started_) : 0;
  stats.total_ms = milliseconds(now - started_);
  return std::make_unique<Finished>(Finished{id_, reason, std::string(answer_->text()), answer_->rounds(), record_.trace(), spans(), stats});
}

}  // namespace nudging
