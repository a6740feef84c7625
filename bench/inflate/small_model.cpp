#include "small_model.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

SmallModel::SmallModel(const std::string& path) {
  ggml_context* tensors = nullptr;
  header_.reset(gguf_init_from_file(path.c_str(), {.no_alloc = false, .ctx = &tensors}));
  tensors_.reset(tensors);
  if (!header_ || !tensors_) throw std::runtime_error("cannot read " + path);
  const std::int64_t id = gguf_find_key(header_.get(), "general.architecture");
  if (id < 0 || std::string_view(gguf_get_val_str(header_.get(), id)) != "llama") throw std::runtime_error(path + " is no Llama model");
  refuse_what_would_be_lost();
}

Sizes SmallModel::sizes() const {
  const std::uint32_t embedding = number("embedding_length");
  const std::uint32_t heads = number("attention.head_count");
  return {
      .embedding = embedding,
      .layers = number("block_count"),
      .feed_forward = number("feed_forward_length"),
      .heads = heads,
      .kv_heads = number("attention.head_count_kv", heads),
      .head_size = number("attention.key_length", embedding / heads),
  };
}

float SmallModel::epsilon() const {
  const std::int64_t id = gguf_find_key(header_.get(), "llama.attention.layer_norm_rms_epsilon");
  if (id < 0) throw std::runtime_error("the model does not say its norms' epsilon");
  return gguf_get_val_f32(header_.get(), id);
}

const ggml_tensor* SmallModel::tensor(const std::string& name) const {
  const ggml_tensor* found = ggml_get_tensor(tensors_.get(), name.c_str());
  if (found == nullptr) throw std::runtime_error("the model has no " + name);
  return found;
}

void SmallModel::unpack(ggml_type type, const void* data, std::vector<float>& values) {
  if (type == GGML_TYPE_F32) {
    std::copy_n(static_cast<const float*>(data), values.size(), values.begin());
  } else {
    ggml_get_type_traits(type)->to_float(data, values.data(), static_cast<std::int64_t>(values.size()));
  }
}

std::vector<float> SmallModel::row(const ggml_tensor* tensor, std::int64_t index) {
  std::vector<float> values(static_cast<std::size_t>(tensor->ne[0]));
  unpack(tensor->type, static_cast<const char*>(tensor->data) + static_cast<std::size_t>(index) * tensor->nb[1], values);
  return values;
}

std::uint32_t SmallModel::number(const std::string& key) const {
  const std::uint32_t value = number(key, 0);
  if (value == 0) throw std::runtime_error("the model does not say its " + key);
  return value;
}

std::uint32_t SmallModel::number(const std::string& key, std::uint32_t otherwise) const {
  const std::int64_t id = gguf_find_key(header_.get(), ("llama." + key).c_str());
  return id < 0 || gguf_get_kv_type(header_.get(), id) != GGUF_TYPE_UINT32 ? otherwise : gguf_get_val_u32(header_.get(), id);
}

void SmallModel::refuse_what_would_be_lost() const {
  constexpr std::array<std::string_view, 12> known = {"token_embd", "output_norm", "output",   "attn_norm", "attn_q", "attn_k",
                                                      "attn_v",     "attn_output", "ffn_norm", "ffn_gate",  "ffn_up", "ffn_down"};
  for (std::int64_t id = 0; id < gguf_get_n_tensors(header_.get()); ++id) {
    std::string_view name = gguf_get_tensor_name(header_.get(), id);
    const std::string whole(name);
    // blk.<layer>.<name>.weight
    if (name.starts_with("blk.")) name.remove_prefix(name.find('.', 4) + 1);
    if (!name.ends_with(".weight")) throw std::runtime_error("cannot inflate " + whole);
    name.remove_suffix(std::string_view(".weight").size());
    if (std::find(known.begin(), known.end(), name) == known.end()) throw std::runtime_error("cannot inflate " + whole);
  }
}
