#include "addon/to_js.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

namespace nudging {

namespace {

const char* name(StopReason reason) {
  switch (reason) {
    case StopReason::end: return "end";
    case StopReason::length: return "length";
    case StopReason::stop: return "stop";
    case StopReason::context: return "context";
    case StopReason::stalled: return "stalled";
    case StopReason::aborted: return "aborted";
    case StopReason::timeout: return "timeout";
    case StopReason::refused: return "refused";
  }
  return "";
}

const char* name(By by) {
  switch (by) {
    case By::agree: return "agree";
    case By::confident: return "confident";
    case By::base_end: return "base-end";
    case By::none: return "none";
    case By::end: return "end";
    case By::limit: return "limit";
    case By::lead: return "lead";
    case By::unsure: return "unsure";
  }
  return "";
}

const char* name(ThinkingPart::State state) {
  switch (state) {
    case ThinkingPart::State::undecided: return "undecided";
    case ThinkingPart::State::thinking: return "thinking";
    case ThinkingPart::State::gap: return "gap";
    case ThinkingPart::State::answer: return "answer";
  }
  return "";
}

const char* name(Source source) {
  switch (source) {
    case Source::base: return "base";
    case Source::nudge: return "nudge";
    case Source::mix: return "mix";
  }
  return "";
}

const char* name(Decision::Kind kind) {
  switch (kind) {
    case Decision::Kind::boundary: return "boundary";
    case Decision::Kind::run: return "run";
    case Decision::Kind::draft: return "draft";
    case Decision::Kind::lead: return "lead";
  }
  return "";
}

template <typename Items, typename Convert>
Napi::Array array(Napi::Env env, const Items& items, Convert convert) {
  Napi::Array result = Napi::Array::New(env, items.size());
  std::uint32_t i = 0;
  for (const auto& item : items) result.Set(i++, convert(item));
  return result;
}

Napi::Object top1_object(Napi::Env env, const Top1& top1) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("token", top1.token);
  object.Set("bytes", Napi::Buffer<char>::Copy(env, top1.bytes.data(), top1.bytes.size()));
  object.Set("probability", top1.probability);
  object.Set("margin", top1.margin);
  if (top1.runner_up) object.Set("runnerUp", *top1.runner_up);
  if (top1.entropy) object.Set("entropy", *top1.entropy);
  object.Set("ends", top1.ends);
  return object;
}

class Converter {
 public:
  explicit Converter(Napi::Env env) : env_(env), object_(Napi::Object::New(env)) {}
  Napi::Object object() const { return object_; }

  void operator()(const LoadProgress& event) {
    set("type", "progress");
    set("lane", event.lane);
    set("fraction", event.fraction);
  }

  void operator()(const Warning& event) {
    set("type", "warning");
    set("code", event.code);
    set("message", event.message);
  }

  void operator()(const std::unique_ptr<Loaded>& event) {
    set("type", "loaded");
    set("models", array(env_, event->models, [this](const ModelInfo& info) { return model(info); }));
    set("parallel", event->parallel);
    set("deterministic", event->deterministic);
    set("whyNotDeterministic", event->why_not);
  }

  void operator()(const LoadFailed& event) {
    set("type", "load-failed");
    set("code", failure_code(event.kind));
    set("message", event.message);
    if (event.shortage) {
      set("needed", static_cast<double>(event.shortage->needed));
      set("available", static_cast<double>(event.shortage->available));
    }
  }

  void operator()(const PiecesReady& event) {
    set("type", "pieces");
    std::span<const Piece> pieces(event.pieces);
    std::size_t begin = 0;
    set("parts", array(env_, event.parts, [&](const PiecesReady::Part& part) {
          Napi::Object item = Napi::Object::New(env_);
          item.Set("id", part.id);
          item.Set("pieces",
                   array(env_, pieces.subspan(begin, part.end - begin), [this](const Piece& piece) { return piece_object(piece); }));
          begin = part.end;
          return item;
        }));
  }

  void operator()(const std::unique_ptr<Finished>& event) {
    set("type", "finished");
    set("id", event->id);
    set("stopReason", name(event->reason));
    if (event->ended_by) set("endedBy", *event->ended_by == Source::base ? "base" : "aligned");
    set("text", event->text);
    set("rounds", array(env_, event->rounds, [this](const Round& round) {
          Napi::Object item = Napi::Object::New(env_);
          item.Set("words", round.words);
          item.Set("base", round.base);
          item.Set("by", name(round.by));
          return item;
        }));
    set("decisions", array(env_, event->decisions, [this](const Decision& decision) {
          Napi::Object item = top1_object(env_, decision.top1);
          item.Set("kind", name(decision.kind));
          item.Set("position", static_cast<double>(decision.position));
          if (decision.judged) judgement(item, *decision.judged);
          return item;
        }));
    set("spans", array(env_, event->spans, [this](const DecodeSpan& span) {
          Napi::Object item = Napi::Object::New(env_);
          item.Set("lane", span.lane);
          item.Set("begin", span.begin_ms);
          item.Set("end", span.end_ms);
          item.Set("tokens", static_cast<double>(span.tokens));
          return item;
        }));
    set("stats", generation(event->stats));
    if (event->guard) set("guard", guard(*event->guard));
  }

  void operator()(const Inspected& event) {
    set("type", "inspected");
    set("id", event.id);
    set("top1", top1_object(env_, event.top1));
    set("candidates", array(env_, event.candidates, [this](const Candidate& candidate) {
          Napi::Object item = Napi::Object::New(env_);
          item.Set("token", candidate.token);
          item.Set("bytes", bytes(candidate.bytes));
          item.Set("probability", candidate.probability);
          return item;
        }));
    set("context", array(env_, event.context, [this](Token token) { return Napi::Number::New(env_, token); }));
    set("scores", array(env_, event.scores, [this](const Score& score) {
          Napi::Object item = Napi::Object::New(env_);
          item.Set("bytes", bytes(score.bytes));
          item.Set("logprob", score.logprob);
          item.Set("top", score.top);
          item.Set("topBytes", bytes(score.top_bytes));
          item.Set("topLogprob", score.top_logprob);
          return item;
        }));
  }

  void operator()(const Begun& event) {
    set("type", "begun");
    set("id", event.id);
    set("thinking", name(event.thinking));
  }

  void operator()(const Counted& event) {
    set("type", "counted");
    set("id", event.id);
    // By lane; -1 where it was not asked.
    set("tokens", array(env_, event.tokens, [this](const std::optional<std::size_t>& tokens) {
          return Napi::Number::New(env_, tokens ? static_cast<double>(*tokens) : -1);
        }));
    if (event.listed.empty()) return;
    set("listed", array(env_, event.listed, [this](const ListedToken& listed) {
          Napi::Object item = Napi::Object::New(env_);
          item.Set("token", listed.token);
          item.Set("bytes", bytes(listed.bytes));
          return item;
        }));
  }

  void operator()(const RequestFailed& event) {
    set("type", "failed");
    set("id", event.id);
    set("code", failure_code(event.kind));
    set("message", event.message);
  }

  void operator()(const RemoteAsked& event) {
    const RemoteQuestion& question = event.question;
    set("type", "asked");
    set("call", question.call);
    set("request", question.request);
    set("lane", static_cast<double>(event.lane));
    Napi::Int32Array tokens = Napi::Int32Array::New(env_, question.tokens.size());
    std::copy(question.tokens.begin(), question.tokens.end(), tokens.Data());
    set("tokens", tokens);
    set("asked", static_cast<double>(question.asked));
    set("run", static_cast<double>(question.run.tokens));
    set("certainty", question.run.certainty);
  }

  void operator()(const RemoteGivenUp& event) {
    set("type", "given-up");
    set("call", event.call);
  }

  void operator()(const Closed&) { set("type", "closed"); }

 private:
  template <typename Value>
  void set(const char* key, const Value& value) {
    object_.Set(key, value);
  }

  Napi::Value bytes(std::string_view text) { return Napi::Buffer<char>::Copy(env_, text.data(), text.size()); }

  Napi::Object model(const ModelInfo& info) {
    Napi::Object item = Napi::Object::New(env_);
    item.Set("name", info.name);
    item.Set("path", info.path);
    item.Set("description", info.description);
    item.Set("parameters", static_cast<double>(info.parameters));
    item.Set("bytes", static_cast<double>(info.bytes));
    item.Set("context", info.context);
    item.Set("trainedContext", info.trained_context);
    item.Set("vocabulary", info.vocabulary);
    item.Set("hasChatTemplate", info.has_chat_template);
    item.Set("gpuLayers", info.gpu_layers);
    Napi::Object devices = Napi::Object::New(env_);
    for (const auto& [device, layers] : info.devices) devices.Set(device, layers);
    item.Set("devices", devices);
    item.Set("deviceTop1", info.device_top1);
    item.Set("kvCache", info.kv_cache);
    item.Set("memory", memory(info.memory));
    return item;
  }

  Napi::Object piece_object(const Piece& piece) {
    Napi::Object item = Napi::Object::New(env_);
    item.Set("text", piece.text);
    item.Set("source", name(piece.source));
    if (piece.top_probability) item.Set("topProbability", *piece.top_probability);
    if (piece.agreed) item.Set("agreed", *piece.agreed);
    return item;
  }

  void judgement(Napi::Object& decision, const Judgement& judged) {
    decision.Set("speaks", judged.base ? "base" : "aligned");
    if (judged.gamma) decision.Set("gamma", *judged.gamma);
    if (!judged.words) return;
    Napi::Object words = Napi::Object::New(env_);
    words.Set("base", judged.words->base);
    words.Set("aligned", judged.words->aligned);
    decision.Set("words", words);
  }

  Napi::Object memory(const MemoryUse& use) {
    Napi::Object item = Napi::Object::New(env_);
    item.Set("weights", static_cast<double>(use.weights));
    item.Set("mapped", static_cast<double>(use.mapped));
    Napi::Object buffers = Napi::Object::New(env_);
    for (const auto& [name, bytes] : use.buffers) buffers.Set(name, static_cast<double>(bytes));
    item.Set("buffers", buffers);
    item.Set("cache", static_cast<double>(use.cache));
    item.Set("compute", static_cast<double>(use.compute));
    return item;
  }

  Napi::Object lane(const LaneStats& stats) {
    Napi::Object item = Napi::Object::New(env_);
    const auto count = [&](const char* key, std::uint64_t value) { item.Set(key, static_cast<double>(value)); };
    count("promptTokens", stats.prompt_tokens);
    count("cachedPromptTokens", stats.cached_prompt_tokens);
    count("decodedTokens", stats.decoded_tokens);
    count("decodes", stats.decodes);
    count("questions", stats.questions);
    count("remembered", stats.remembered);
    count("guessed", stats.guessed);
    count("guessesRight", stats.guesses_right);
    count("rewinds", stats.rewinds);
    count("rewoundTokens", stats.rewound_tokens);
    count("recomputations", stats.recomputations);
    count("anticipated", stats.anticipated);
    item.Set("decodeMs", stats.decode_ms);
    item.Set("top1Ms", stats.top1_ms);
    item.Set("tokenizeMs", stats.tokenize_ms);
    return item;
  }

  Napi::Object guard(const GuardReport& report) {
    Napi::Object item = Napi::Object::New(env_);
    item.Set("checks", static_cast<double>(report.checks));
    item.Set("questions", static_cast<double>(report.work.questions));
    item.Set("remembered", static_cast<double>(report.work.remembered));
    item.Set("tokens", static_cast<double>(report.work.decoded_tokens));
    item.Set("passes", static_cast<double>(report.work.decodes));
    item.Set("decodeMs", report.work.decode_ms);
    item.Set("waitMs", report.work.wait_ms);
    if (report.refusal) item.Set("refusal", *report.refusal);
    return item;
  }

  Napi::Object generation(const GenerationStats& stats) {
    Napi::Object item = Napi::Object::New(env_);
    item.Set("base", lane(stats.lanes[base_lane]));
    item.Set("aligned", lane(stats.lanes[aligned_lane]));
    item.Set("others", array(env_, std::span(stats.lanes).subspan(2), [this](const LaneStats& one) { return lane(one); }));
    item.Set("tokens", static_cast<double>(stats.tokens));
    item.Set("baseTokens", static_cast<double>(stats.base_tokens));
    item.Set("mixedTokens", static_cast<double>(stats.mixed_tokens));
    item.Set("ties", static_cast<double>(stats.ties));
    item.Set("queuedMs", stats.queued_ms);
    item.Set("firstPieceMs", stats.first_piece_ms);
    item.Set("totalMs", stats.total_ms);
    return item;
  }

  Napi::Env env_;
  Napi::Object object_;
};

}  // namespace

Napi::Object to_js(Napi::Env env, const Event& event) {
  Converter convert(env);
  std::visit(convert, event);
  return convert.object();
}

}  // namespace nudging
