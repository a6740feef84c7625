#include "engine/job.h"

#include <algorithm>
#include <span>
#include <string>

#include "engine/failure.h"

namespace nudging {

namespace {

/// Pieces in one event where nobody waits for them: few enough to be converted in well under a millisecond.
constexpr std::size_t pieces_at_once = 64;

/// More than a mark of thinking has (lib/options.ts), and white space behind it.
constexpr std::size_t most_own_end = 256;

constexpr const char* lane_names[lane_count] = {"base", "aligned"};

std::vector<Segment> segments_of(const ModelContext& context, const PromptSource& source) {
  const auto* chat = std::get_if<Chat>(&source.text);
  if (chat == nullptr) return std::get<std::vector<Segment>>(source.text);
  if (chat->chat_template) return ChatTemplate(*chat->chat_template).render(chat->messages, context.vocabulary(), chat->variables);
  if (const ChatTemplate* own = context.model().chat_template()) return own->render(chat->messages, context.vocabulary(), chat->variables);
  throw Failure(FailureKind::template_missing,
                "\"" + context.model().path() + "\" has no chat template: pass one as `alignedPrompt` (--aligned-prompt FILE), or a raw prompt");
}

/// The last bytes of the template text that segments end with.
std::string own_end(const std::vector<Segment>& segments) {
  std::string end;
  for (auto last = segments.rbegin(); last != segments.rend() && last->is_template && end.size() < most_own_end; ++last) end.insert(0, last->text);
  return end.substr(end.size() - std::min(end.size(), most_own_end));
}

/// `bounded`: what cannot fit into the context is refused.
Prompt compile(const ModelContext& context, const PromptSource& source, const char* lane, bool bounded = true) {
  const Vocabulary& vocabulary = context.vocabulary();
  std::vector<Segment> segments = segments_of(context, source);
  segments.push_back({source.prefill, false});
  std::size_t bytes = 0;
  for (const Segment& segment : segments) bytes += segment.text.size();
  if (bytes == 0) throw Failure(FailureKind::prompt_empty, std::string("the ") + lane + " prompt is empty: pass at least one character");
  // Known before anything is tokenised, which could take seconds.
  if (const std::size_t least = vocabulary.least_tokens(bytes); bounded && least > context.length()) {
    throw Failure(FailureKind::prompt_too_long, std::string("the ") + lane + " prompt has " + std::to_string(bytes) + " bytes, which are " + std::to_string(least) +
                                                    " tokens or more, and the context holds " + std::to_string(context.length()) + ": shorten the prompt or raise `context`");
  }
  Prompt prompt = compile_prompt(vocabulary, segments);
  segments.pop_back();
  prompt.own_end = own_end(segments);
  prompt.prefill = source.prefill;
  return prompt;
}

/// Checks that so many tokens of an answer fit behind the prompt.
void check_whole(const Prompt& prompt, std::size_t answer, std::size_t length, const char* lane) {
  if (prompt.tokens() + answer <= length) return;
  throw Failure(FailureKind::prompt_too_long, std::string("the ") + lane + " prompt has " + std::to_string(prompt.tokens()) + " tokens, `maxTokens` asks for " +
                                                  std::to_string(answer) + ", and the context holds " + std::to_string(length) +
                                                  ": shorten the prompt, lower `maxTokens` or raise `context`");
}

/// Whether a prompt's own text leads into a thinking part, and where what it was prefilled with leads from there.
ThinkingPart::State thinking_start(const std::optional<ThinkingMarks>& marks, const Prompt& prompt) {
  std::string_view end = prompt.own_end;
  end = end.substr(0, end.find_last_not_of(" \t\n\v\f\r") + 1);
  ThinkingPart part(marks, marks && end.ends_with(marks->open) ? ThinkingPart::State::thinking : ThinkingPart::State::undecided);
  part.read(prompt.prefill);
  return part.state();
}

/// Checks that the lane's context, as it is now, fits.
void check_room(const SequenceLane& lane, std::size_t length, const char* name) {
  if (lane.tokens().empty()) throw Failure(FailureKind::prompt_empty, std::string("the ") + name + " prompt has no tokens: pass at least one character");
  if (lane.overflows()) {
    throw Failure(FailureKind::prompt_too_long, std::string("the ") + name + " prompt has " + std::to_string(lane.tokens().size()) + " tokens and the context holds " +
                                                    std::to_string(length) + ": shorten the prompt or raise `context`");
  }
}

bool uses(Mode mode, LaneName lane) { return mode == Mode::nudge || (mode == Mode::base) == (lane == LaneName::base); }

/// The settings of one lane. Greedy ones are all the same: what a lane remembers stays good.
Sampling of_lane(Sampling sampling, LaneName lane) {
  if (sampling.greedy()) return {};
  sampling.lane = static_cast<std::uint32_t>(lane);
  return sampling;
}

/// Those of a text that is no prompt: no control token, no BOS.
std::vector<Token> plain_tokens(const Vocabulary& vocabulary, const PromptSource& source) {
  std::string text;
  for (const Segment& segment : std::get<std::vector<Segment>>(source.text)) text += segment.text;
  return vocabulary.tokenize(text);
}

Task<StopReason> inspect(SequenceLane& lane) {
  co_await lane.top1();
  co_return StopReason::end;
}

}  // namespace

Clock::time_point deadline_of(const Request& request, Clock::time_point submitted) {
  const auto* generation = std::get_if<Generation>(&request.work);
  return generation != nullptr && generation->timeout ? submitted + *generation->timeout : Clock::time_point::max();
}

Prompts compile_prompts(const Request& request, const std::array<const ModelContext*, lane_count>& contexts) {
  Prompts prompts;
  if (const auto* inspection = std::get_if<Inspection>(&request.work)) {
    const auto lane = static_cast<std::size_t>(inspection->lane);
    Prompt& prompt = prompts[lane].emplace(compile(*contexts[lane], inspection->prompt, lane_names[lane]));
    prompt.text = inspection->text;
    prompt.whole = contexts[lane]->vocabulary().tokenize(prompt.tail + inspection->text);
    return prompts;
  }
  if (const auto* counting = std::get_if<Counting>(&request.work)) {
    for (std::size_t i = 0; i < lane_count; ++i) {
      if (!counting->prompts[i]) continue;
      if (counting->plain) {
        const Vocabulary& vocabulary = contexts[i]->vocabulary();
        prompts[i] = Prompt{plain_tokens(vocabulary, *counting->prompts[i]), {}, TextTokens(vocabulary), {}, {}, {}, {}};
      } else {
        prompts[i] = compile(*contexts[i], *counting->prompts[i], lane_names[i], false);
      }
    }
    return prompts;
  }
  const auto& generation = std::get<Generation>(request.work);
  for (std::size_t i = 0; i < lane_count; ++i) {
    if (!uses(generation.mode, static_cast<LaneName>(i))) continue;
    prompts[i] = compile(*contexts[i], generation.prompts[i], lane_names[i]);
    if (generation.whole) check_whole(*prompts[i], generation.limits.max_tokens, contexts[i]->length(), lane_names[i]);
  }
  return prompts;
}

Counted count(const Request& request, const Prompts& prompts) {
  Counted counted{request.id, {}};
  for (std::size_t i = 0; i < lane_count; ++i) {
    if (prompts[i]) counted.tokens[i] = prompts[i]->tokens();
  }
  return counted;
}

Job::Job(const Request& request, Prompts prompts, Lanes lanes, Clock::time_point submitted) : id_(request.id), lanes_(lanes), submitted_(submitted), deadline_(deadline_of(request, submitted)) {
  if (const auto* generation = std::get_if<Generation>(&request.work)) begin(*generation, std::move(prompts));
  if (const auto* inspection = std::get_if<Inspection>(&request.work)) begin(*inspection, std::move(prompts));
  task_->start();
}

Job::~Job() {
  task_.reset();
  for (SequenceLane* lane : lanes_) lane->drop_question();
}

void Job::begin(const Generation& generation, Prompts prompts) {
  Limits limits = generation.limits;
  // Where both models run, the aligned one's template knows how its answers begin.
  limits.thinking_start = thinking_start(limits.thinking, prompts[1] ? *prompts[1] : *prompts[0]);
  if (limits.thinking || generation.whole) begun_ = Begun{id_, limits.thinking_start};
  for (std::size_t i = 0; i < lane_count; ++i) {
    const auto lane = static_cast<LaneName>(i);
    if (!prompts[i]) {
      lanes_[i]->stand_by();
      continue;
    }
    // The base checks what the aligned model expects. Nobody checks for the aligned model.
    const Speculation speculation = generation.mode == Mode::nudge && lane == LaneName::base ? generation.speculation : Speculation{Speculation::Guesses::none, 0};
    lanes_[i]->begin(std::move(*prompts[i]), speculation, lanes_[static_cast<std::size_t>(LaneName::aligned)], of_lane(generation.sampling, lane));
    check_room(*lanes_[i], lanes_[i]->context().length(), lane_names[i]);
  }
  if (generation.trace) {
    for (SequenceLane* lane : lanes_) lane->trace();
  }
  anticipates_ = generation.mode == Mode::nudge && generation.speculation.guesses != Speculation::Guesses::none;
  streams_ = generation.streams;
  answer_.emplace(std::move(limits));
  SequenceLane& base = *lanes_[static_cast<std::size_t>(LaneName::base)];
  SequenceLane& aligned = *lanes_[static_cast<std::size_t>(LaneName::aligned)];
  record_ = Record(base.context().tolerance(), aligned.context().tolerance(), generation.trace);
  switch (generation.mode) {
    case Mode::nudge: task_.emplace(nudge(base, aligned, generation.rules, *answer_, record_)); break;
    case Mode::base: task_.emplace(decode_alone(base, Source::base, *answer_, record_)); break;
    case Mode::aligned: task_.emplace(decode_alone(aligned, Source::nudge, *answer_, record_)); break;
  }
}

void Job::begin(const Inspection& inspection, Prompts prompts) {
  const auto which = static_cast<std::size_t>(inspection.lane);
  SequenceLane& lane = *lanes_[which];
  lane.begin_from_nothing(std::move(*prompts[which]), of_lane(inspection.sampling, inspection.lane));
  lane.set_text(inspection.text);
  for (const Token token : inspection.tokens) {
    if (token < 0 || static_cast<std::size_t>(token) >= lane.context().vocabulary().size()) {
      throw Failure(FailureKind::internal, "token " + std::to_string(token) + " is not in the vocabulary");
    }
    lane.push(token);
  }
  check_room(lane, lane.context().length(), lane_names[which]);
  inspected_ = &lane;
  task_.emplace(inspect(lane));
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
  for (std::size_t i = 0; i < lane_count; ++i) {
    for (const Span& span : lanes_[i]->spans()) {
      spans.push_back({static_cast<LaneName>(i), milliseconds(span.begin - started_), milliseconds(span.end - started_), span.tokens});
    }
  }
  std::sort(spans.begin(), spans.end(), [](const DecodeSpan& a, const DecodeSpan& b) { return a.begin_ms < b.begin_ms; });
  return spans;
}

Event Job::finish() {
  const StopReason reason = done() ? task_->take() : *stopped_;
  if (inspected_ != nullptr) {
    if (!done()) return RequestFailed{id_, FailureKind::internal, "the inspection was aborted"};
    return Inspected{id_, inspected_->last_answer(), inspected_->tokens()};
  }
  const Clock::time_point now = Clock::now();
  GenerationStats stats{};
  for (std::size_t i = 0; i < lane_count; ++i) stats.lanes[i] = lanes_[i]->stats();
  stats.tokens = answer_->used();
  stats.base_tokens = answer_->base_tokens();
  stats.ties = record_.ties();
  stats.queued_ms = milliseconds(started_ - submitted_);
  stats.first_piece_ms = first_piece_ ? milliseconds(*first_piece_ - started_) : 0;
  stats.total_ms = milliseconds(now - started_);
  return std::make_unique<Finished>(Finished{id_, reason, std::string(answer_->text()), answer_->rounds(), record_.trace(), spans(), stats});
}

}  // namespace nudging
