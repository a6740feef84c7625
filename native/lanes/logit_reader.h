#pragma once

#include <span>

#include "lanes/logit_changes.h"
#include "lanes/pass.h"
#include "models/model.h"

/// What llama.cpp's device has found: see src/llama-ext.h there.
struct llama_top;

namespace nudging {

/// Reads what a model says from one row of logits. One for each thread.
class LogitReader {
 public:
  explicit LogitReader(const Model& model) : model_(model) {}

  /// Changes the logits in place where they are to be changed. Throws Failure(decode_failed): not numbers, or nothing left to say.
  PassResult::Said read(std::span<float> logits, Wanted wanted, const Pass::Reading& reading);
  /// The same of what the device has found, for a reading that takes the likeliest token and neither changes logits nor wants the entropy.
  PassResult::Said read(const llama_top& found, const Pass::Reading& reading) const;

 private:
  [[noreturn]] void fail_for_no_numbers() const;
  void name(Top1& top1) const;

  const Model& model_;
  LogitChanger changer_;
};

}  // namespace nudging
