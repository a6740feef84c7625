#include "lanes/top1_trial.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <vector>

#include "basics/failure.h"
#include "basics/stopwatch.h"

namespace nudging {

namespace {

/// As many as a few requests ask about at once, and enough to see something wrong.
constexpr std::size_t most_tokens = 8;
/// The first pass of a shape takes longer than those behind it.
constexpr int passes = 4;
/// Two passes over the same tokens may add in another order: of p, and of logits.
constexpr float probability_tolerance = 1e-3F;
constexpr float margin_tolerance = 5e-2F;

/// Tokens from all over the vocabulary, each asked about, in a sequence that is empty before.
Pass trial_pass(const ModelContext& context, const Model& model) {
  Pass pass;
  pass.edits = {{MemoryEdit::Kind::clear, 0}};
  const std::size_t count = std::min(most_tokens, context.batch());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t token = (i + 1) * model.vocabulary().size() / (count + 1);
    pass.tokens.push_back({static_cast<Token>(token), i, 0, Wanted::top1});
    pass.readings.emplace_back();
  }
  return pass;
}

struct Timed {
  std::vector<PassResult::Said> said;
  double ms = std::numeric_limits<double>::infinity();
};

Timed time(ModelContext& context, const Pass& pass) {
  Timed timed;
  for (int i = 0; i < passes; ++i) {
    double ms = 0;
    PassResult result;
    {
      const Stopwatch watch(ms);
      result = context.decode(pass);
    }
    if (result.failure) std::rethrow_exception(result.failure);
    timed.said = std::move(result.said);
    if (i > 0) timed.ms = std::min(timed.ms, ms);
  }
  return timed;
}

}  // namespace

bool are_alike(std::span<const PassResult::Said> device, std::span<const PassResult::Said> host) {
  return std::ranges::equal(device, host, [](const PassResult::Said& one, const PassResult::Said& other) {
    const Top1& a = one.top1;
    const Top1& b = other.top1;
    const bool on_edge = a.margin <= margin_tolerance && b.margin <= margin_tolerance;
    return (a.token == b.token || on_edge) && std::abs(a.probability - b.probability) <= probability_tolerance &&
           std::abs(a.margin - b.margin) <= margin_tolerance;
  });
}

std::optional<Top1Trial> try_device_top1(ModelContext& context, const Model& model) {
  const Pass pass = trial_pass(context, model);
  std::optional<Top1Trial> trial;
  try {
    const Timed device = time(context, pass);
    context.use_device_top1(false);
    const Timed host = time(context, pass);
    trial = Top1Trial{are_alike(device.said, host.said), device.ms, host.ms};
  } catch (const Failure& failure) {
    // What the model says of tokens that stand nowhere in this order may be no numbers. Requests will tell.
    if (failure.kind() != FailureKind::decode_failed) throw;
  }
  context.use_device_top1(trial && trial->pays());
  context.clear(0);
  return trial;
}

}  // namespace nudging
