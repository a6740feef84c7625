#pragma once

#include <string>
#include <vector>

#include "../../test/tools/owned.h"
#include "shape.h"

/// A trained Llama model in memory. Throws std::runtime_error if the file is none, or has anything that inflating would lose.
class SmallModel {
 public:
  explicit SmallModel(const std::string& path);

  const gguf_context* header() const { return header_.get(); }
  Sizes sizes() const;
  std::uint32_t vocabulary() const { return static_cast<std::uint32_t>(tensor("token_embd.weight")->ne[1]); }
  float epsilon() const;
  bool is_tied() const { return ggml_get_tensor(tensors_.get(), "output.weight") == nullptr; }

  const ggml_tensor* tensor(const std::string& name) const;
  /// ggml's own conversion is missing for F32.
  static void unpack(ggml_type type, const void* data, std::vector<float>& values);
  static std::vector<float> row(const ggml_tensor* tensor, std::int64_t index);

 private:
  std::uint32_t number(const std::string& key) const;
  std::uint32_t number(const std::string& key, std::uint32_t otherwise) const;
  void refuse_what_would_be_lost() const;

  OwnedTensors tensors_;
  OwnedHeader header_;
};
