#include "addon/from_js.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <string>

#include "models/kv_cache_type.h"
#include "nudge/rules/adaptive.h"
#include "nudge/rules/bet.h"
#include "nudge/rules/entropy.h"
#include "nudge/rules/hybrid.h"
#include "nudge/rules/margin.h"

namespace nudging {

namespace {

/// Reads the properties of one object. The first one that does not fit leaves a TypeError pending; reads after that give zeros.
class Reader {
 public:
  Reader(Napi::Env env, Napi::Value value) : env_(env), object_(value.IsObject() ? value.As<Napi::Object>() : Napi::Object::New(env)) {
    if (!value.IsObject()) fail("the argument", "an object");
  }

  bool ok() const { return !env_.IsExceptionPending(); }
  bool has(const char* name) { return !get(name).IsUndefined(); }

  Napi::Value get(const char* name) {
    if (!ok()) return env_.Undefined();
    return object_.Get(name);
  }

  /// An array of strings.
  std::set<std::string> names(const char* name) {
    std::set<std::string> names;
    each(name, [&](Napi::Value value) {
      if (!value.IsString()) return fail(name, "an array of strings");
      names.insert(value.As<Napi::String>().Utf8Value());
    });
    return names;
  }

  std::string text(const char* name) {
    const Napi::Value value = get(name);
    if (!value.IsString()) return fail(name, "a string"), std::string();
    return value.As<Napi::String>().Utf8Value();
  }

  bool flag(const char* name) {
    const Napi::Value value = get(name);
    if (!value.IsBoolean()) return fail(name, "a boolean"), false;
    return value.As<Napi::Boolean>().Value();
  }

  double number(const char* name) {
    const Napi::Value value = get(name);
    const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
    if (!std::isfinite(number)) return fail(name, "a finite number"), 0;
    return number;
  }

  template <typename Integer>
  Integer integer(const char* name) {
    const double value = number(name);
    if (value != std::floor(value) || value < static_cast<double>(std::numeric_limits<Integer>::min()) ||
        value > static_cast<double>(std::numeric_limits<Integer>::max())) {
      return fail(name, "an integer in range"), Integer{};
    }
    return static_cast<Integer>(value);
  }

  template <typename Read>
  void each(const char* name, Read read) {
    const Napi::Value value = get(name);
    if (!value.IsArray()) return fail(name, "an array");
    const auto array = value.As<Napi::Array>();
    for (std::uint32_t i = 0; ok() && i < array.Length(); ++i) read(array.Get(i));
  }

  void fail(const char* name, const char* expected) {
    if (ok()) Napi::TypeError::New(env_, std::string(name) + " must be " + expected).ThrowAsJavaScriptException();
  }

 private:
  Napi::Env env_;
  Napi::Object object_;
};

PromptSource prompt_source(Napi::Env env, Napi::Value value) {
  Reader reader(env, value);
  std::string prefill = reader.has("prefill") ? reader.text("prefill") : std::string();
  if (reader.has("messages")) {
    Chat chat;
    reader.each("messages", [&](Napi::Value entry) {
      Reader message(env, entry);
      chat.messages.push_back({message.text("role"), message.text("content")});
    });
    if (reader.has("template")) chat.chat_template = reader.text("template");
    if (reader.has("variables")) chat.variables = reader.text("variables");
    return {std::move(chat), std::move(prefill)};
  }
  std::vector<Segment> segments;
  reader.each("segments", [&](Napi::Value entry) {
    Reader segment(env, entry);
    segments.push_back({segment.text("text"), segment.flag("special")});
  });
  return {std::move(segments), std::move(prefill)};
}

/// More models than anybody has use for: the pair, the reference, and further ones.
constexpr std::size_t most_lanes = 17;

/// The place of a further lane. Whether there is one is checked where it is used.
std::size_t lane_place(Reader& reader) {
  const auto lane = reader.integer<std::uint32_t>("lane");
  if (reader.ok() && (lane < 2 || lane >= most_lanes)) reader.fail("lane", "between 2 and 16");
  return lane;
}

Mode mode(Reader& reader) {
  const std::string name = reader.text("mode");
  if (name == "base") return Mode::base;
  if (name == "aligned") return Mode::aligned;
  if (name == "reverse") return Mode::reverse;
  if (name == "ensemble") return Mode::ensemble;
  if (name == "proxy-tuning") return Mode::proxy_tuning;
  if (name != "nudge") reader.fail("mode", R"("nudge", "reverse", "base", "aligned", "ensemble" or "proxy-tuning")");
  return Mode::nudge;
}

Ends ends(Reader& reader) {
  Ends ends;
  const std::string rule = reader.text("endRule");
  if (rule == "either")
    ends.rule = EndRule::either;
  else if (rule == "base")
    ends.rule = EndRule::base;
  else if (rule != "aligned")
    reader.fail("endRule", R"("aligned", "either" or "base")");
  ends.certainty = static_cast<float>(reader.number("endCertainty"));
  ends.checks_short_drafts = reader.flag("checkShortDrafts");
  return ends;
}

Signals signals(Reader& reader) {
  const std::string which = reader.text("signals");
  if (which != "known" && which != "all") reader.fail("signals", R"("known" or "all")");
  return which == "all" ? Signals::all : Signals::known;
}

Sampling sampling(Napi::Env env, Napi::Value value) {
  Reader reader(env, value);
  Sampling sampling;
  sampling.temperature = reader.number("temperature");
  sampling.top_k = reader.integer<std::uint32_t>("topK");
  sampling.top_p = reader.number("topP");
  sampling.min_p = reader.number("minP");
  const double seed = reader.number("seed");
  if (reader.ok() && (sampling.temperature < 0 || sampling.temperature > 100)) reader.fail("temperature", "between 0 and 100");
  if (reader.ok() && (sampling.top_p <= 0 || sampling.top_p > 1)) reader.fail("topP", "over 0 and at most 1");
  if (reader.ok() && (sampling.min_p < 0 || sampling.min_p > 1)) reader.fail("minP", "between 0 and 1");
  if (reader.ok() && (seed < 0 || seed > 9007199254740991 || seed != std::floor(seed)))
    reader.fail("seed", "an integer from 0 to 2^53 - 1");
  if (reader.ok()) sampling.seed = static_cast<std::uint64_t>(seed);
  return sampling;
}

/// Names and biases in step with each other. Flat, because there may be a thousand of them and the event loop waits.
std::vector<NamedBias> biases(Napi::Env env, Napi::Value value) {
  Reader reader(env, value);
  std::vector<NamedBias> biases;
  reader.each("names", [&](Napi::Value name) {
    NamedBias named;
    if (name.IsString()) {
      named.token = name.As<Napi::String>().Utf8Value();
    } else if (const double id = name.IsNumber() ? name.As<Napi::Number>().DoubleValue() : -1;
               id >= 0 && id <= std::numeric_limits<Token>::max() && id == std::floor(id)) {
      named.token = static_cast<Token>(id);
    } else {
      return reader.fail("names", "an array of texts and token ids");
    }
    biases.push_back(std::move(named));
  });
  std::size_t at = 0;
  reader.each("biases", [&](Napi::Value bias) {
    const double number = bias.IsNumber() ? bias.As<Napi::Number>().DoubleValue() : std::nan("");
    if (!(std::abs(number) <= 100) || at == biases.size())
      return reader.fail("biases", "an array of numbers from -100 to 100, one for each name");
    biases[at++].bias = static_cast<float>(number);
  });
  if (reader.ok() && at != biases.size()) reader.fail("biases", "an array of numbers, one for each name");
  return biases;
}

RepeatPenalty repeat_penalty(Napi::Env env, Napi::Value value) {
  Reader reader(env, value);
  const double factor = reader.number("penalty");
  const auto window = reader.integer<std::uint32_t>("window");
  if (reader.ok() && (factor < 0.01 || factor > 100)) reader.fail("penalty", "between 0.01 and 100");
  if (reader.ok() && window == 0) reader.fail("window", "at least 1");
  return {static_cast<float>(factor), window};
}

Guarding guarding(Napi::Env env, Napi::Value value) {
  Reader reader(env, value);
  Guarding guarding;
  guarding.rules.every = reader.integer<std::uint32_t>("every");
  guarding.rules.tokens = reader.integer<std::uint32_t>("tokens");
  if (reader.ok() && guarding.rules.every == 0) reader.fail("every", "at least 1");
  if (reader.ok() && guarding.rules.tokens == 0) reader.fail("tokens", "at least 1");
  reader.each("phrases", [&](Napi::Value phrase) {
    if (!phrase.IsString()) return reader.fail("phrases", "an array of strings");
    guarding.rules.phrases.push_back(phrase.As<Napi::String>().Utf8Value());
  });
  guarding.ask = reader.text("ask");
  guarding.variables = reader.text("variables");
  return guarding;
}

/// What `ensemble` and `proxy-tuning` are told besides.
void read_mixture(Reader& reader, Generation& generation) {
  if (reader.has("asInPaper")) generation.as_in_paper = reader.flag("asInPaper");
  if (generation.mode == Mode::ensemble) {
    bool any = false;
    reader.each("weights", [&](Napi::Value value) {
      const double weight = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
      if (!(weight >= 0 && std::isfinite(weight))) return reader.fail("weights", "an array of numbers from 0 on, one for each lane");
      any = any || weight > 0;
      generation.weights.push_back(weight);
    });
    if (reader.ok() && !any) reader.fail("weights", "an array with a number over 0");
  }
  if (reader.has("unit")) {
    const std::string unit = reader.text("unit");
    generation.unit = unit == "byte" ? Unit::byte : Unit::token;
    if (unit != "byte" && unit != "token") reader.fail("unit", R"("token" or "byte")");
  }
  if (generation.mode == Mode::proxy_tuning) {
    generation.alpha = reader.number("alpha");
    generation.reference = reader.integer<std::uint32_t>("reference");
  }
}

/// Rules of single tokens, by the names that lib/token-rules.ts gives them; nothing for the others.
std::optional<TokenRule> token_rule(Napi::Env env, Napi::Value value) {
  Reader reader(env, value);
  const std::string name = reader.text("name");
  using Kind = TokenRule::Kind;
  if (name == "kad-dual") return TokenRule{Kind::kad_dual, reader.number("alpha")};
  if (name == "kad-primal") return TokenRule{Kind::kad_primal, reader.number("alpha")};
  if (name == "bet-token") return TokenRule{Kind::bet, reader.number("lambda")};
  if (name != "blend") return std::nullopt;
  TokenRule rule{Kind::blend, reader.number("tau")};
  if (reader.get("weight").IsNumber()) {
    rule.weight = TokenRule::Weight::fixed;
    rule.fixed = reader.number("weight");
    if (reader.ok() && (rule.fixed < 0 || rule.fixed > 1)) reader.fail("weight", "between 0 and 1");
  } else if (reader.text("weight") == "product") {
    rule.weight = TokenRule::Weight::product;
  }
  return rule;
}

/// The rules by the names that lib/rule.ts gives them; null for the paper's own, whose γ comes beside it.
std::shared_ptr<const DeferralRule> deferral_rule(Napi::Env env, Napi::Value value, float gamma) {
  Reader reader(env, value);
  const std::string name = reader.text("name");
  const auto number = [&reader](const char* parameter) { return static_cast<float>(reader.number(parameter)); };
  if (name == "top1") return nullptr;
  if (name == "bet") return std::make_shared<Bet>(number("lambda"));
  if (name == "margin") return std::make_shared<Margin>(number("margin"));
  if (name == "entropy") return std::make_shared<Entropy>(number("entropy"));
  if (name == "adaptive")
    return std::make_shared<Adaptive>(Adaptive::Settings{gamma, reader.number("rate"), reader.number("step"), reader.number("reach")});
  if (name != "hybrid") return reader.fail("rule", "the name of a deferral rule"), nullptr;
  const float low = number("low");
  const float high = number("high");
  if (reader.ok() && low > high) reader.fail("low", "at most `high`");
  return std::make_shared<Hybrid>(low, high, number("lambda"));
}

Generation generation(Napi::Env env, Reader& reader) {
  Generation generation;
  generation.mode = mode(reader);
  if (reader.has("base")) generation.prompts[0] = prompt_source(env, reader.get("base"));
  if (reader.has("aligned")) generation.prompts[1] = prompt_source(env, reader.get("aligned"));
  if (reader.has("others")) {
    reader.each("others", [&](Napi::Value value) {
      Reader other(env, value);
      const std::size_t lane = lane_place(other);
      if (!other.ok()) return;
      generation.prompts.resize(std::max(generation.prompts.size(), lane + 1));
      generation.biases.resize(generation.prompts.size());
      generation.prompts[lane] = prompt_source(env, other.get("prompt"));
      if (other.has("biases")) generation.biases[lane] = biases(env, other.get("biases"));
    });
  }
  read_mixture(reader, generation);
  generation.rules.gamma = static_cast<float>(reader.number("gamma"));
  generation.rules.by_token = token_rule(env, reader.get("rule"));
  if (!generation.rules.by_token) generation.rules.deferral = deferral_rule(env, reader.get("rule"), generation.rules.gamma);
  generation.rules.lookahead = reader.integer<std::uint32_t>("lookahead");
  generation.rules.repeat_limit = reader.integer<std::uint32_t>("repeatLimit");
  generation.rules.ends = ends(reader);
  generation.rules.lead = reader.integer<std::uint32_t>("lead");
  generation.rules.keeps_punctuation = reader.flag("keepPunctuation");
  if (reader.has("signals")) generation.rules.signals = signals(reader);
  if (reader.has("guard")) generation.guard = guarding(env, reader.get("guard"));
  generation.limits.max_tokens = reader.integer<std::uint32_t>("maxTokens");
  reader.each("stop", [&](Napi::Value stop) {
    if (!stop.IsString()) return reader.fail("stop", "an array of strings");
    std::string text = stop.As<Napi::String>().Utf8Value();
    if (text.empty()) return reader.fail("stop", "an array of non-empty strings");
    generation.limits.stop.push_back(std::move(text));
  });
  if (reader.has("thinking")) {
    Reader marks(env, reader.get("thinking"));
    generation.limits.thinking = {marks.text("open"), marks.text("close")};
    if (reader.ok() && (generation.limits.thinking->open.empty() || generation.limits.thinking->close.empty()))
      reader.fail("thinking", "two non-empty strings");
  }
  generation.whole = reader.flag("whole");
  generation.trace = reader.flag("trace");
  generation.streams = reader.flag("streams");
  if (const double timeout = reader.number("timeout"); timeout > 0)
    generation.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(std::min(timeout, 1e12)));
  // -1: as it pays, 0: none, else so many.
  const auto guesses = reader.integer<std::int32_t>("guesses");
  const auto kind = guesses < 0 ? Speculation::Guesses::as_pays : guesses == 0 ? Speculation::Guesses::none : Speculation::Guesses::fixed;
  generation.speculation = {kind, static_cast<std::size_t>(std::max(guesses, 0))};
  generation.sampling = sampling(env, reader.get("sampling"));
  if (reader.has("baseBiases")) generation.biases[0] = biases(env, reader.get("baseBiases"));
  if (reader.has("alignedBiases")) generation.biases[1] = biases(env, reader.get("alignedBiases"));
  if (reader.has("repeat")) generation.repeat = repeat_penalty(env, reader.get("repeat"));
  return generation;
}

Inspection inspection(Napi::Env env, Reader& reader) {
  Inspection inspection;
  inspection.lane = reader.integer<std::uint32_t>("lane");
  inspection.prompt = prompt_source(env, reader.get("prompt"));
  inspection.text = reader.text("text");
  reader.each("tokens", [&](Napi::Value token) {
    if (!token.IsNumber()) return reader.fail("tokens", "an array of token ids");
    inspection.tokens.push_back(token.As<Napi::Number>().Int32Value());
  });
  inspection.sampling = sampling(env, reader.get("sampling"));
  inspection.candidates = reader.integer<std::uint32_t>("candidates");
  if (reader.has("biases")) inspection.biases = biases(env, reader.get("biases"));
  if (reader.has("repeat")) inspection.repeat = repeat_penalty(env, reader.get("repeat"));
  inspection.scores = reader.has("scores") && reader.flag("scores");
  return inspection;
}

Counting counting(Napi::Env env, Reader& reader) {
  Counting counting;
  Reader prompts(env, reader.get("count"));
  counting.prompts.resize(2);
  if (prompts.has("base")) counting.prompts[0] = prompt_source(env, prompts.get("base"));
  if (prompts.has("aligned")) counting.prompts[1] = prompt_source(env, prompts.get("aligned"));
  if (prompts.has("others")) {
    prompts.each("others", [&](Napi::Value value) {
      Reader other(env, value);
      const std::size_t lane = lane_place(other);
      if (!other.ok()) return;
      counting.prompts.resize(std::max(counting.prompts.size(), lane + 1));
      counting.prompts[lane] = prompt_source(env, other.get("prompt"));
    });
  }
  counting.plain = reader.flag("plain");
  if (reader.has("guard")) counting.guard = guarding(env, reader.get("guard"));
  counting.listed = counting.plain && reader.has("list");
  if (counting.listed) {
    reader.each("list", [&](Napi::Value token) {
      if (!token.IsNumber()) return reader.fail("list", "an array of token ids");
      counting.tokens.push_back(token.As<Napi::Number>().Int32Value());
    });
  }
  return counting;
}

/// Nothing that is missing was asked for.
PlacementWish placement(Napi::Env env, Napi::Value value) {
  Reader reader(env, value);
  PlacementWish wish;
  if (reader.has("devices")) {
    reader.each("devices", [&](Napi::Value name) {
      if (!name.IsString()) return reader.fail("devices", "an array of strings");
      wish.devices.push_back(name.As<Napi::String>().Utf8Value());
    });
  }
  if (reader.has("splitMode")) {
    wish.split_mode = split_mode_named(reader.text("splitMode"));
    if (reader.ok() && !wish.split_mode) reader.fail("splitMode", R"("none", "layer", "row" or "tensor")");
  }
  if (reader.has("tensorSplit")) {
    reader.each("tensorSplit", [&](Napi::Value share) {
      const double number = share.IsNumber() ? share.As<Napi::Number>().DoubleValue() : -1;
      if (!(number >= 0 && std::isfinite(number))) return reader.fail("tensorSplit", "an array of numbers from 0 on");
      wish.split.push_back(static_cast<float>(number));
    });
  }
  if (reader.has("mainGpu")) wish.main_gpu = reader.integer<std::uint32_t>("mainGpu");
  // -1: of all layers.
  if (const auto layers = reader.integer<std::int32_t>("cpuMoe"); layers != 0)
    wish.cpu_experts = layers < 0 ? all_layers : static_cast<std::uint32_t>(layers);
  reader.each("overrideTensors", [&](Napi::Value one) {
    Reader override(env, one);
    wish.overrides.push_back({override.text("pattern"), override.text("device")});
  });
  return wish;
}

}  // namespace

std::optional<EngineOptions> engine_options(Napi::Env env, Napi::Value value) {
  Reader reader(env, value);
  EngineOptions options;
  reader.each("lanes", [&](Napi::Value value) {
    Reader lane_reader(env, value);
    EngineOptions::Lane& lane = options.lanes.emplace_back();
    lane.name = lane_reader.text("name");
    lane.path = lane_reader.text("path");
    lane.gpu_layers = lane_reader.integer<std::int32_t>("gpuLayers");
    lane.context = lane_reader.integer<std::int32_t>("context");
    const std::optional<ggml_type> cache_type = kv_cache_type(lane_reader.text("kvCache"));
    if (!cache_type) lane_reader.fail("kvCache", "the name of a type that a KV cache can have");
    lane.cache_type = cache_type.value_or(GGML_TYPE_F16);
    // -1: by device and context.
    const auto flash_attention = lane_reader.integer<std::int32_t>("flashAttention");
    if (flash_attention >= 0) lane.flash_attention = flash_attention != 0;
    if (lane_reader.ok()) lane.placement = placement(env, lane_reader.get("placement"));
    lane.remote = lane_reader.has("remote") && lane_reader.flag("remote");
  });
  if (reader.ok() && (options.lanes.size() < 2 || options.lanes.size() > most_lanes))
    reader.fail("lanes", "an array of 2 to 17 models, the base first");
  options.threads = reader.integer<std::int32_t>("threads");
  options.cores = reader.integer<std::int32_t>("cores");
  options.parallel = reader.integer<std::uint32_t>("parallel");
  options.batch = reader.integer<std::uint32_t>("batch");
  // -1: where it pays.
  const auto overlap = reader.integer<std::int32_t>("overlap");
  if (overlap >= 0) options.overlap = overlap != 0;
  // -1: where it can be had.
  const auto deterministic = reader.integer<std::int32_t>("deterministic");
  if (deterministic >= 0) options.deterministic = deterministic != 0;
  // -1: where it pays.
  const auto device_top1 = reader.integer<std::int32_t>("deviceTop1");
  if (device_top1 >= 0) options.device_top1 = device_top1 != 0;
  options.padded = reader.flag("padPasses");
  options.host_memory = static_cast<std::uint64_t>(std::max(0.0, reader.number("hostMemory")));
  if (reader.has("cpuBuffers")) options.cpu_buffers = reader.names("cpuBuffers");
  options.mapped = reader.flag("mmap");
  options.harmful_cpu_buffers = reader.names("harmfulCpuBuffers");
  reader.each("rpcServers", [&](Napi::Value server) {
    if (!server.IsString()) return reader.fail("rpcServers", "an array of strings");
    options.rpc_servers.push_back(server.As<Napi::String>().Utf8Value());
  });
  options.rpc_timeout = reader.integer<std::uint32_t>("rpcTimeout");
  if (reader.ok() && (options.threads < 0 || options.threads > 512)) reader.fail("threads", "between 0 and 512");
  if (reader.ok() && (options.cores < 1 || options.cores > 65536)) reader.fail("cores", "between 1 and 65536");
  if (reader.ok() && options.parallel > 256) reader.fail("parallel", "between 0 and 256");
  if (reader.ok() && (options.batch < 1 || options.batch > 65536)) reader.fail("batch", "between 1 and 65536");
  // Every sequence may ask in the same decode call; llama.cpp aborts on more outputs than a batch has room for.
  if (reader.ok() && options.batch < options.parallel) reader.fail("batch", "at least as large as parallel");
  if (!reader.ok()) return std::nullopt;
  return options;
}

std::optional<RemoteAnswers> remote_answers(Napi::Env env, Napi::Value value) {
  Reader reader(env, value);
  RemoteAnswers answers;
  answers.call = reader.integer<RemoteCall>("call");
  answers.over = reader.flag("over");
  // Three numbers each: flat, because a call may bring hundreds.
  const Napi::Value said = reader.get("said");
  if (!said.IsTypedArray() || said.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
    reader.fail("said", "a Float64Array");
    return std::nullopt;
  }
  const auto numbers = said.As<Napi::Float64Array>();
  for (std::size_t i = 0; i + 2 < numbers.ElementLength(); i += 3) {
    const double token = numbers[i];
    RemoteAnswer answer{token >= 0 && token <= std::numeric_limits<Token>::max() ? static_cast<Token>(token) : -1, numbers[i + 1]};
    if (!std::isnan(numbers[i + 2])) answer.next_logprob = numbers[i + 2];
    answers.answers.push_back(answer);
  }
  if (reader.has("failure")) {
    Reader failure(env, reader.get("failure"));
    const std::string code = failure.text("code");
    FailureKind kind = FailureKind::internal;
    for (const FailureKind one :
         {FailureKind::remote_unreachable, FailureKind::remote_refused, FailureKind::remote_protocol, FailureKind::remote_timeout}) {
      if (code == failure_code(one)) kind = one;
    }
    answers.failure = std::make_exception_ptr(Failure(kind, failure.text("message")));
    answers.over = true;
  }
  if (!reader.ok()) return std::nullopt;
  return answers;
}

std::optional<Request> request(Napi::Env env, Napi::Value value) {
  Reader reader(env, value);
  Request request;
  request.id = reader.integer<RequestId>("id");
  if (reader.has("lane")) {
    request.work = inspection(env, reader);
  } else if (reader.has("count")) {
    request.work = counting(env, reader);
  } else {
    request.work = generation(env, reader);
  }
  if (!reader.ok()) return std::nullopt;
  return request;
}

}  // namespace nudging
