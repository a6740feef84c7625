#pragma once

#include <span>

#include "lanes/logit_changes.h"
#include "lanes/pass.h"
#include "models/model.h"

namespace nudging {

/// Reads what a model says from one row of logits. One for each thread.
class LogitReader {
 public:
  explicit LogitReader(const Model& model) : model_(model) {}

  /// Changes the logits in place where they are to be changed. Throws Failure(decode_failed): not numbers, or nothing left to say.
  PassResult::Said read(std::span<float> logits, Wanted wanted, const Pass::Reading& reading);

 private:
  const Model& model_;
  LogitChanger changer_;
};

}  // namespace nudging
