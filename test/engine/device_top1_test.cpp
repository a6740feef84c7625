#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <vector>

#include "backend/log.h"
#include "basics/failure.h"
#include "check.h"
#include "lanes/model_context.h"
#include "models/memory_meter.h"
#include "models/model.h"
#include "src/llama-ext.h"

using namespace nudging;

namespace {

const std::string demo = NUDGING_DEMO_MODELS;
const std::atomic<bool> never = false;

std::shared_ptr<const Model> model_of(const std::string& name) {
  capture_log();
  return std::make_shared<const Model>(Model::Options{.path = demo + name}, [](float) { return true; });
}

/// Two sequences, whose tokens stand between each other's, and all kinds of readings.
Pass mixed_pass(const std::vector<Token>& tokens) {
  Pass pass;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto wanted = i % 5 == 4 ? Wanted::nothing : i % 7 == 3 ? Wanted::distribution : Wanted::top1;
    pass.tokens.push_back({tokens[i], i / 2, static_cast<llama_seq_id>(i % 2), wanted});
    if (wanted == Wanted::nothing) continue;
    Pass::Reading& reading = pass.readings.emplace_back();
    reading.measures.runner_up = i % 3 == 0;
    reading.measures.entropy = i % 4 == 1;
    if (i % 6 == 5) reading.draw.sampling.temperature = 2;
  }
  return pass;
}

std::vector<PassResult::Said> said(ModelContext& context, const Pass& pass) {
  PassResult result = context.decode(pass);
  if (result.failure) std::rethrow_exception(result.failure);
  return std::move(result.said);
}

ContextOptions options_with(bool device_top1) { return {.length = 256, .sequences = 2, .batch = 64, .device_top1 = device_top1}; }

}  // namespace

TEST("top-1 on the device: it is the host's within 1e-5, and who wants more gets the logits") {
  for (const char* name : {"/base.gguf", "/aligned.gguf"}) {
    const std::shared_ptr<const Model> model = model_of(name);
    ModelContext on_host(model, options_with(false), nullptr, never);
    ModelContext on_device(model, options_with(true), nullptr, never);
    CHECK(!on_host.device_top1());
    CHECK(on_device.device_top1());
    std::vector<Token> tokens;
    for (Token i = 0; i < 60; ++i) tokens.push_back((7 + 37 * i) % static_cast<Token>(model->vocabulary().size()));
    const Pass pass = mixed_pass(tokens);
    const auto host = said(on_host, pass);
    const auto device = said(on_device, pass);
    CHECK_EQUAL(device.size(), pass.readings.size());
    std::size_t distributions = 0;
    for (std::size_t i = 0; i < host.size(); ++i) {
      CHECK_EQUAL(device[i].top1.token, host[i].top1.token);
      CHECK(std::abs(device[i].top1.probability - host[i].top1.probability) < 1e-5F);
      CHECK(std::abs(device[i].top1.margin - host[i].top1.margin) < 1e-5F);
      CHECK_EQUAL(device[i].top1.bytes, host[i].top1.bytes);
      CHECK_EQUAL(device[i].top1.ends, host[i].top1.ends);
      CHECK_EQUAL(device[i].top1.runner_up.has_value(), host[i].top1.runner_up.has_value());
      if (host[i].top1.runner_up) CHECK(std::abs(*device[i].top1.runner_up - *host[i].top1.runner_up) < 1e-5F);
      CHECK(device[i].top1.entropy == host[i].top1.entropy);
      CHECK(device[i].logits == host[i].logits);
      distributions += host[i].logits.empty() ? 0 : 1;
    }
    CHECK(distributions > 2);
  }
}

TEST("top-1 on the device: logits of which nothing more is wanted are not fetched") {
  const std::shared_ptr<const Model> model = model_of("/base.gguf");
  ModelContext context(model, options_with(true), nullptr, never);
  Pass pass;
  for (Token i = 0; i < 3; ++i) {
    pass.tokens.push_back({5 + i, static_cast<std::size_t>(i), 0, i == 1 ? Wanted::distribution : Wanted::top1});
    pass.readings.emplace_back();
  }
  auto* handle = const_cast<llama_context*>(context.handle());
  const std::size_t size = model->vocabulary().size();
  // Twice, so that there are rows for a mark.
  for (int time = 0; time < 2; ++time) {
    pass.edits = {{MemoryEdit::Kind::clear, 0}};
    CHECK_EQUAL(context.decode(pass).said.size(), 3U);
    for (int row = 0; row < 3 && time == 0; ++row) std::fill_n(llama_get_logits_ith(handle, row), size, 12345.0F);
  }
  CHECK_EQUAL(llama_get_logits_ith(handle, 0)[0], 12345.0F);
  CHECK(llama_get_logits_ith(handle, 1)[0] != 12345.0F);
  CHECK_EQUAL(llama_get_logits_ith(handle, 2)[size - 1], 12345.0F);
}

TEST("top-1 on the device: passes of several graphs and of equal shapes are told apart") {
  const std::shared_ptr<const Model> model = model_of("/aligned.gguf");
  ModelContext on_host(model, options_with(false), nullptr, never);
  ModelContext on_device(model, options_with(true), nullptr, never);
  for (std::size_t time = 0; time < 6; ++time) {
    Pass pass;
    pass.tokens.push_back({static_cast<Token>(9 + 11 * time), time, 0, Wanted::top1});
    pass.readings.emplace_back();
    const auto host = said(on_host, pass);
    const auto device = said(on_device, pass);
    CHECK_EQUAL(device.at(0).top1.token, host.at(0).top1.token);
    CHECK(std::abs(device.at(0).top1.probability - host.at(0).top1.probability) < 1e-5F);
  }
}

TEST("top-1 on the device: the memory that it takes is planned") {
  const auto compute_with = [](bool device_top1) {
    MemoryMeter meter(demo + "/base.gguf", options_with(device_top1));
    return meter.measure({0, 256, 2}, 1'000'000'000).use.compute;
  };
  CHECK(compute_with(true) > compute_with(false));
}
