#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gguf_file.h"

/// One thing that is wrong with a model.
struct Change {
  std::string story;
  std::function<void(GgufFile&)> make;
};

/// Every hyperparameter of a model with every awkward value, and the model without each of its tensors and hyperparameters.
std::vector<Change> every_change(const GgufFile& sound);
