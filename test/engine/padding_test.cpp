#include "lanes/padding.h"

#include <atomic>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "backend/log.h"
#include "check.h"
#include "lanes/costs.h"
#include "lanes/model_context.h"
#include "models/model.h"
#include "src/llama-ext.h"

using namespace nudging;

namespace {

const std::atomic<bool> never = false;

std::shared_ptr<const Model> base() {
  capture_log();
  return std::make_shared<const Model>(Model::Options{.path = std::string(NUDGING_DEMO_MODELS) + "/base.gguf"}, [](float) { return true; });
}

ContextOptions options_with(bool padded, std::uint32_t sequences) {
  return {.length = 128, .sequences = sequences, .batch = 64, .device_top1 = true, .padded = padded};
}

/// A pass of so many tokens of each sequence, behind `from` others.
Pass pass_of(const std::vector<std::size_t>& counts, std::vector<std::size_t>& from) {
  Pass pass;
  for (std::size_t sequence = 0; sequence < counts.size(); ++sequence) {
    for (std::size_t i = 0; i < counts[sequence]; ++i) {
      const std::size_t position = from[sequence]++;
      pass.tokens.push_back({static_cast<Token>(7 + 13 * position + 5 * sequence), position, static_cast<llama_seq_id>(sequence),
                             i + 1 == counts[sequence] ? Wanted::top1 : Wanted::nothing});
      if (pass.tokens.back().wanted == Wanted::top1) pass.readings.emplace_back();
    }
  }
  return pass;
}

}  // namespace

TEST("padding: few shapes, with equally many sequences, and none where it cannot be") {
  const Padding none{0, 512};
  const Padding one{1, 512};
  const Padding many{8, 512};
  for (std::size_t tokens = 0; tokens < 100; ++tokens) CHECK_EQUAL(none.padded(tokens, 1), tokens);
  CHECK_EQUAL(one.padded(1, 1), 1U);
  std::set<std::size_t> shapes;
  for (std::size_t tokens = 2; tokens < 64; ++tokens) {
    CHECK(one.padded(tokens, 1) > tokens);
    shapes.insert(one.padded(tokens, 1));
    for (std::size_t used = 1; used <= 8 && used <= tokens && tokens + many.dummies(used) <= 64; ++used)
      CHECK(many.padded(tokens, used) >= tokens + 9 - used);
  }
  CHECK_EQUAL(shapes.size(), 6U);
  CHECK_EQUAL(one.padded(3, 1), 4U);
  CHECK_EQUAL(one.padded(4, 1), 8U);
  CHECK_EQUAL(one.padded(64, 1), 64U);
  CHECK_EQUAL(one.padded(200, 1), 200U);
  CHECK_EQUAL(many.padded(4), 16U);
  CHECK_EQUAL((Padding{1, 6}).padded(3, 1), 4U);
  CHECK_EQUAL((Padding{1, 6}).padded(5, 1), 5U);
}

TEST("padding: costs are learnt by shapes, so that guesses fill what would be padding") {
  Costs costs;
  costs.set_padding({1, 512});
  costs.note(1, 5);
  costs.note(2, 8);
  CHECK_EQUAL(costs.of(3), 8.0);
  costs.note(5, 9);
  CHECK_EQUAL(costs.of(7), 9.0);
  CHECK_EQUAL(costs.of(1), 5.0);
  // Two more cost nothing.
  CHECK_EQUAL(costs.room(5, 1.0), 2U);
  const std::vector<double> unlikely(6, 0.3);
  Costs counts;
  counts.note(1, 5);
  for (const std::size_t tokens : {2, 3, 4, 5, 6, 7}) counts.note(tokens, 5 + static_cast<double>(tokens));
  CHECK(guesses_worth(costs, unlikely, {5, 1}) > guesses_worth(counts, unlikely, {5, 1}));
}

TEST("padding: dummies change no answer, are not read, and leave nothing behind") {
  const std::shared_ptr<const Model> model = base();
  ModelContext plain(model, options_with(false, 3), nullptr, never);
  ModelContext padded(model, options_with(true, 3), nullptr, never);
  CHECK_EQUAL(plain.padding().sequences, 0U);
  CHECK_EQUAL(padded.padding().sequences, 3U);
  std::vector<std::size_t> from(3, 0);
  const std::vector<std::vector<std::size_t>> passes = {{20, 3, 1}, {1, 0, 0}, {2, 0, 0},  {0, 4, 2},
                                                        {1, 1, 1},  {5, 5, 5}, {60, 0, 0}, {1, 2, 0}};
  for (const std::vector<std::size_t>& counts : passes) {
    const Pass pass = pass_of(counts, from);
    const PassResult one = plain.decode(pass);
    const PassResult other = padded.decode(pass);
    CHECK(!one.failure && !other.failure);
    CHECK_EQUAL(other.said.size(), pass.readings.size());
    for (std::size_t i = 0; i < one.said.size(); ++i) {
      CHECK_EQUAL(other.said[i].top1.token, one.said[i].top1.token);
      CHECK(std::abs(other.said[i].top1.probability - one.said[i].top1.probability) < 1e-3F);
    }
    const llama_memory_t memory = llama_get_memory(const_cast<llama_context*>(padded.handle()));
    for (llama_seq_id dummy = 3; dummy < 6; ++dummy) CHECK_EQUAL(llama_memory_seq_pos_max(memory, dummy), -1);
  }
}

TEST("padding: passes of different sizes use one graph again") {
  const std::shared_ptr<const Model> model = base();
  const auto reused = [&](bool is_padded) {
    ModelContext context(model, options_with(is_padded, 3), nullptr, never);
    std::vector<std::size_t> from(3, 0);
    for (const std::vector<std::size_t>& counts :
         std::vector<std::vector<std::size_t>>{{2, 1, 0}, {3, 0, 0}, {1, 1, 2}, {2, 2, 0}, {2, 1, 0}})
      CHECK(!context.decode(pass_of(counts, from)).failure);
    return llama_perf_context(context.handle()).n_reused;
  };
  CHECK_EQUAL(reused(false), 0);
  CHECK_EQUAL(reused(true), 4);
}

TEST("padding: needs the likeliest tokens on the device, else every dummy's logits would come to the host") {
  ContextOptions options = options_with(true, 2);
  options.device_top1 = false;
  const ModelContext context(base(), options, nullptr, never);
  CHECK_EQUAL(context.padding().sequences, 0U);
}
