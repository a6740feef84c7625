#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// A number or a list that llama.cpp reads from the header of a model, as `<architecture>.<key>`.
using Setting = std::variant<std::uint32_t, float, bool, std::vector<std::uint32_t>>;

/// Values drawn evenly from center ± spread.
struct Tensor {
  std::string name;
  std::vector<std::int64_t> shape;
  float center;
  float spread;
};

struct Size {
  std::uint32_t vocabulary = 0;
  std::uint32_t embedding = 32;
  std::uint32_t layers = 2;
  std::uint32_t context = 1024;
};

/// What an architecture needs in a file that llama.cpp will load.
struct Blueprint {
  std::vector<std::pair<std::string, Setting>> settings;
  std::vector<Tensor> tensors;
  /// The tensor whose rows make the logits.
  std::string output;
};

/// Throws std::invalid_argument for an unknown architecture.
Blueprint blueprint(const std::string& architecture, const Size& size);
