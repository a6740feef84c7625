#include "architectures.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <stdexcept>

namespace {

constexpr std::uint32_t head_size = 16;
/// So short that the tests' contexts are several windows long.
constexpr std::uint32_t window = 24;
/// Standard deviation of the logits. For 30,000 to 250,000 independent ones this is where the highest takes anything from 0.1 to nearly all
/// of the probability; at 4 it never takes much, at 12 nearly always all.
constexpr float logit_deviation = 6.5F;
/// llama.cpp's RWKV kernels work on heads of this size.
constexpr std::uint32_t wkv_head_size = 64;

class Builder {
 public:
  Builder(std::string architecture, const Size& size)
      : architecture_(std::move(architecture)),
        size_(size),
        width_(size.embedding),
        inner_(2 * width_),
        heads_(std::max(size.embedding / head_size, 1U)),
        kv_heads_(std::max(heads_ / 2, 1U)) {}

  Blueprint build() {
    set("context_length", size_.context);
    set("embedding_length", size_.embedding);
    set("block_count", size_.layers);
    set("feed_forward_length", static_cast<std::uint32_t>(inner_));
    const bool is_gemma = architecture_.starts_with("gemma");
    // Gemma scales embeddings by √d after the fact, and Gemma 2 uses the same matrix for the output.
    const bool is_tied = architecture_ == "gemma2";
    const float deviation = logit_deviation / std::sqrt(static_cast<float>(width_));
    add("token_embd.weight", {width_, size_.vocabulary}, 0, std::sqrt(3.0F) * (is_tied ? deviation : is_gemma ? 0.2F : 1.0F));
    norm("output_norm");
    result_.output = is_tied ? "token_embd.weight" : "output.weight";
    if (!is_tied) add("output.weight", {width_, size_.vocabulary}, 0, std::sqrt(3.0F) * deviation);

    if (architecture_ == "llama") {
      llama();
    } else if (is_gemma) {
      gemma();
    } else if (architecture_ == "mamba") {
      mamba();
    } else if (architecture_ == "jamba") {
      jamba();
    } else if (architecture_ == "rwkv7") {
      rwkv7();
    } else {
      throw std::invalid_argument("unknown architecture " + architecture_);
    }
    return std::move(result_);
  }

 private:
  void set(const std::string& key, Setting value) { result_.settings.emplace_back(key, std::move(value)); }

  void add(const std::string& name, std::vector<std::int64_t> shape, float center, float spread) {
    result_.tensors.push_back({name, std::move(shape), center, spread});
  }

  /// Keeps the size of what goes through it.
  void matrix(const std::string& name, std::int64_t in, std::int64_t out) {
    add(name + ".weight", {in, out}, 0, std::sqrt(3.0F / static_cast<float>(in)));
  }

  void norm(const std::string& name, std::int64_t width = 0, float center = 1) {
    add(name + ".weight", {width > 0 ? width : width_}, center, 0.2F * center);
  }

  void norm_with_bias(const std::string& name) {
    norm(name);
    add(name + ".bias", {width_}, 0, 0.1F);
  }

  std::string block(std::uint32_t layer, const std::string& name) const { return "blk." + std::to_string(layer) + "." + name; }

  void set_rms() { set("attention.layer_norm_rms_epsilon", 1e-5F); }

  void set_heads() {
    set_rms();
    set("attention.head_count", heads_);
    set("attention.head_count_kv", kv_heads_);
  }

  void attention(std::uint32_t layer, std::uint32_t kv_heads) {
    norm(block(layer, "attn_norm"));
    matrix(block(layer, "attn_q"), width_, width_);
    matrix(block(layer, "attn_k"), width_, width_ / heads_ * kv_heads);
    matrix(block(layer, "attn_v"), width_, width_ / heads_ * kv_heads);
    matrix(block(layer, "attn_output"), width_, width_);
  }

  void feed_forward(std::uint32_t layer) {
    norm(block(layer, "ffn_norm"));
    matrix(block(layer, "ffn_gate"), width_, inner_);
    matrix(block(layer, "ffn_up"), width_, inner_);
    matrix(block(layer, "ffn_down"), inner_, width_);
  }

  void llama() {
    set_heads();
    for (std::uint32_t layer = 0; layer < size_.layers; ++layer) {
      attention(layer, kv_heads_);
      feed_forward(layer);
    }
  }

  void gemma() {
    set_heads();
    set("attention.key_length", static_cast<std::uint32_t>(width_ / heads_));
    set("attention.value_length", static_cast<std::uint32_t>(width_ / heads_));
    set("attention.sliding_window", window);
    // Every second layer sees everything.
    set("attention.sliding_window_pattern", std::uint32_t{2});
    const bool is_second = architecture_ == "gemma2";
    if (is_second) set("final_logit_softcapping", 100.0F);
    for (std::uint32_t layer = 0; layer < size_.layers; ++layer) {
      attention(layer, kv_heads_);
      if (!is_second) {
        norm(block(layer, "attn_q_norm"), width_ / heads_);
        norm(block(layer, "attn_k_norm"), width_ / heads_);
      }
      // With a shared matrix the model would only repeat its last token if the layers did not drown it.
      norm(block(layer, "post_attention_norm"), 0, is_second ? 15.0F : 1.0F);
      feed_forward(layer);
      norm(block(layer, "post_ffw_norm"), 0, is_second ? 15.0F : 1.0F);
    }
  }

  void set_ssm() {
    set("ssm.conv_kernel", std::uint32_t{4});
    set("ssm.inner_size", static_cast<std::uint32_t>(inner_));
    set("ssm.state_size", ssm_state);
    set("ssm.time_step_rank", ssm_rank);
  }

  void ssm(std::uint32_t layer) {
    norm(block(layer, "attn_norm"));
    matrix(block(layer, "ssm_in"), width_, 2 * inner_);
    matrix(block(layer, "ssm_conv1d"), 4, inner_);
    add(block(layer, "ssm_conv1d.bias"), {inner_}, 0, 0.1F);
    matrix(block(layer, "ssm_x"), inner_, ssm_rank + 2 * ssm_state);
    matrix(block(layer, "ssm_dt"), ssm_rank, inner_);
    add(block(layer, "ssm_dt.bias"), {inner_}, -2, 1);
    // Negative: the state has to fade.
    add(block(layer, "ssm_a"), {ssm_state, inner_}, -1, 0.8F);
    add(block(layer, "ssm_d"), {inner_}, 1, 0.2F);
    matrix(block(layer, "ssm_out"), inner_, width_);
  }

  void mamba() {
    set_rms();
    set_ssm();
    for (std::uint32_t layer = 0; layer < size_.layers; ++layer) ssm(layer);
  }

  /// Mamba and attention by turns.
  void jamba() {
    set_rms();
    set_ssm();
    set("attention.head_count", heads_);
    std::vector<std::uint32_t> kv_heads;
    for (std::uint32_t layer = 0; layer < size_.layers; ++layer) {
      kv_heads.push_back(layer % 2 == 0 ? 0 : kv_heads_);
      if (kv_heads.back() > 0) {
        attention(layer, kv_heads_);
      } else {
        ssm(layer);
        norm(block(layer, "ssm_dt_norm"), ssm_rank);
        norm(block(layer, "ssm_b_norm"), ssm_state);
        norm(block(layer, "ssm_c_norm"), ssm_state);
      }
      feed_forward(layer);
    }
    set("attention.head_count_kv", std::move(kv_heads));
  }

  void rwkv7() {
    if (width_ % wkv_head_size != 0)
      throw std::invalid_argument("rwkv7 needs an embedding of a multiple of " + std::to_string(wkv_head_size));
    constexpr std::uint32_t rank = 8;
    set("attention.layer_norm_epsilon", 1e-5F);
    set("wkv.head_size", wkv_head_size);
    set("token_shift_count", std::uint32_t{2});
    for (const char* key : {"decay", "iclr", "value_residual_mix", "gate"}) set("attention." + std::string(key) + "_lora_rank", rank);
    norm_with_bias("token_embd_norm");
    add("output_norm.bias", {width_}, 0, 0.1F);
    for (std::uint32_t layer = 0; layer < size_.layers; ++layer) {
      norm_with_bias(block(layer, "attn_norm"));
      norm_with_bias(block(layer, "attn_norm_2"));
      for (const char* name : {"w", "a", "v", "g"}) {
        const std::string lora = block(layer, std::string("time_mix_") + name);
        if (*name != 'g') add(lora + "0.weight", {width_}, 0, 1);
        matrix(lora + "1", width_, rank);
        matrix(lora + "2", rank, width_);
      }
      add(block(layer, "time_mix_lerp_fused.weight"), {width_, 1, 1, 6}, 0.5F, 0.5F);
      for (const char* name : {"k_k", "k_a"}) add(block(layer, std::string("time_mix_") + name + ".weight"), {width_}, 1, 0.5F);
      add(block(layer, "time_mix_r_k.weight"), {width_}, 0, 0.5F);
      for (const char* name : {"key", "value", "receptance", "output"})
        matrix(block(layer, std::string("time_mix_") + name), width_, width_);
      norm_with_bias(block(layer, "time_mix_ln"));
      add(block(layer, "channel_mix_lerp_k.weight"), {width_, 1, 1}, 0.5F, 0.5F);
      matrix(block(layer, "channel_mix_key"), width_, inner_);
      matrix(block(layer, "channel_mix_value"), inner_, width_);
    }
  }

  static constexpr std::uint32_t ssm_state = 16;
  static constexpr std::uint32_t ssm_rank = 4;

  std::string architecture_;
  Size size_;
  std::int64_t width_;
  /// Of the feed-forward layers and of Mamba, which knows no other factor than 2.
  std::int64_t inner_;
  std::uint32_t heads_;
  std::uint32_t kv_heads_;
  Blueprint result_;
};

}  // namespace

Blueprint blueprint(const std::string& architecture, const Size& size) { return Builder(architecture, size).build(); }
