#include "lanes/top1_trial.h"

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "backend/log.h"
#include "check.h"
#include "models/model.h"
#include "src/llama-ext.h"

using namespace nudging;

namespace {

/// What a device with a broken kernel would find: the linker puts the function below in the place of llama.cpp's.
std::atomic<bool> device_lies = false;

}  // namespace

extern "C" {
bool __real__Z17llama_get_top_ithP13llama_contextiP9llama_top(llama_context* context, int32_t row, llama_top* top);
bool __wrap__Z17llama_get_top_ithP13llama_contextiP9llama_top(llama_context* context, int32_t row, llama_top* top) {
  const bool found = __real__Z17llama_get_top_ithP13llama_contextiP9llama_top(context, row, top);
  if (device_lies && found) top->prob = 1 - top->prob;
  return found;
}
}

namespace {

const std::atomic<bool> never = false;

std::shared_ptr<const Model> demo_model() {
  capture_log();
  return std::make_shared<const Model>(Model::Options{.path = std::string(NUDGING_DEMO_MODELS) + "/base.gguf"}, [](float) { return true; });
}

ContextOptions with_device_top1() { return {.length = 64, .sequences = 2, .batch = 16, .device_top1 = true}; }

PassResult::Said said(Token token, float probability, float margin) {
  PassResult::Said said;
  said.top1.token = token;
  said.top1.probability = probability;
  said.top1.margin = margin;
  return said;
}

bool alike(const PassResult::Said& device, const PassResult::Said& host) { return are_alike(std::span(&device, 1), std::span(&host, 1)); }

}  // namespace

TEST("top-1 trial: alike is the same token with the same numbers, or one on the edge") {
  const PassResult::Said host = said(7, 0.5F, 1);
  CHECK(alike(said(7, 0.5005F, 1.01F), host));
  CHECK(!alike(said(8, 0.5F, 1), host));
  CHECK(!alike(said(7, 0.51F, 1), host));
  CHECK(!alike(said(7, 0.5F, 1.2F), host));
  CHECK(alike(said(8, 0.3F, 0.001F), said(7, 0.3F, 0.002F)));
  CHECK(!alike(said(8, 0.3F, 0.001F), said(7, 0.3F, 0.2F)));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(!alike(said(7, nan, 1), host));
  CHECK(!alike(said(7, 0.5F, nan), host));
  CHECK(!are_alike({}, std::span(&host, 1)));
}

TEST("top-1 trial: it pays where it is right and takes no longer") {
  CHECK((Top1Trial{.alike = true, .device_ms = 1, .host_ms = 1}.pays()));
  CHECK((!Top1Trial{.alike = true, .device_ms = 1.1, .host_ms = 1}.pays()));
  CHECK((!Top1Trial{.alike = false, .device_ms = 1, .host_ms = 2}.pays()));
}

TEST("top-1 trial: what pays is done from then on, with the same answers, and nothing is left in the cache") {
  const std::shared_ptr<const Model> model = demo_model();
  ContextOptions on_host = with_device_top1();
  on_host.device_top1 = false;
  ModelContext reference(model, on_host, nullptr, never);
  ModelContext context(model, with_device_top1(), nullptr, never);
  const auto trial = try_device_top1(context, *model);
  CHECK(trial.has_value());
  CHECK(trial->alike);
  CHECK(trial->device_ms > 0);
  CHECK(trial->host_ms > 0);
  CHECK_EQUAL(context.device_top1(), trial->pays());
  Pass pass;
  for (Token i = 0; i < 4; ++i) {
    pass.tokens.push_back({5 + i, static_cast<std::size_t>(i), 0, Wanted::top1});
    pass.readings.emplace_back();
  }
  const PassResult expected = reference.decode(pass);
  const PassResult got = context.decode(pass);
  CHECK(!got.failure);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK_EQUAL(got.said.at(i).top1.token, expected.said.at(i).top1.token);
    CHECK(std::abs(got.said.at(i).top1.probability - expected.said.at(i).top1.probability) < 1e-5F);
  }
}

TEST("top-1 trial: a device that finds something else is not believed") {
  const std::shared_ptr<const Model> model = demo_model();
  ModelContext context(model, with_device_top1(), nullptr, never);
  device_lies = true;
  const auto trial = try_device_top1(context, *model);
  device_lies = false;
  CHECK(trial.has_value());
  CHECK(!trial->alike);
  CHECK(!context.device_top1());
  CHECK_EQUAL(context.padding().sequences, 0U);
}

TEST("top-1 trial: passes are filled up only while the device finds the likeliest tokens") {
  const std::shared_ptr<const Model> model = demo_model();
  ContextOptions options = with_device_top1();
  options.padded = true;
  ModelContext context(model, options, nullptr, never);
  CHECK_EQUAL(context.padding().sequences, 2U);
  context.use_device_top1(false);
  CHECK_EQUAL(context.padding().sequences, 0U);
  context.use_device_top1(true);
  CHECK_EQUAL(context.padding().sequences, 2U);
}
