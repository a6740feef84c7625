#include "gguf_mutant.h"

#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "ggml.h"

namespace {

constexpr std::uint32_t string_type = 8;
constexpr std::uint32_t array_type = 9;

/// Keys that llama.cpp reads behind the name of an architecture, whatever the file had.
constexpr std::array integer_keys = {"vocab_size",
                                     "context_length",
                                     "embedding_length",
                                     "embedding_length_out",
                                     "block_count",
                                     "leading_dense_block_count",
                                     "feed_forward_length",
                                     "expert_feed_forward_length",
                                     "expert_shared_feed_forward_length",
                                     "expert_count",
                                     "expert_used_count",
                                     "expert_shared_count",
                                     "expert_group_count",
                                     "expert_group_used_count",
                                     "expert_gating_func",
                                     "moe_every_n_layers",
                                     "nextn_predict_layers",
                                     "pooling_type",
                                     "rescale_every_n_layers",
                                     "time_mix_extra_dim",
                                     "time_decay_extra_dim",
                                     "token_shift_count",
                                     "interleave_moe_layer_step",
                                     "attention.head_count",
                                     "attention.head_count_kv",
                                     "attention.key_length",
                                     "attention.value_length",
                                     "attention.q_lora_rank",
                                     "attention.kv_lora_rank",
                                     "attention.sliding_window",
                                     "attention.sliding_window_pattern",
                                     "attention.key_length_mla",
                                     "attention.value_length_mla",
                                     "attention.key_length_swa",
                                     "attention.value_length_swa",
                                     "attention.shared_kv_layers",
                                     "rope.dimension_count",
                                     "rope.dimension_count_swa",
                                     "rope.dimension_sections",
                                     "rope.scaling.original_context_length",
                                     "ssm.conv_kernel",
                                     "ssm.inner_size",
                                     "ssm.state_size",
                                     "ssm.time_step_rank",
                                     "ssm.group_count",
                                     "wkv.head_size",
                                     "attention.group_norm_groups",
                                     "attention.temperature_length",
                                     "n_deepstack_layers"};
constexpr std::array float_keys = {"attention.layer_norm_epsilon",
                                   "attention.layer_norm_rms_epsilon",
                                   "attention.group_norm_epsilon",
                                   "attention.max_alibi_bias",
                                   "attention.clamp_kqv",
                                   "attention.scale",
                                   "rope.freq_base",
                                   "rope.freq_base_swa",
                                   "rope.scaling.factor",
                                   "rope.scaling.attn_factor",
                                   "logit_scale",
                                   "attn_logit_softcapping",
                                   "final_logit_softcapping",
                                   "residual_scale",
                                   "embedding_scale",
                                   "expert_weights_scale"};
constexpr std::array flag_keys = {"attention.causal", "use_parallel_residual",  "expert_weights_norm",
                                  "ssm.dt_b_c_rms",   "rope.scaling.finetuned", "swin_norm"};
constexpr std::array tokenizer_keys = {"bos_token_id",     "eos_token_id",       "eot_token_id",     "eom_token_id",
                                       "unknown_token_id", "seperator_token_id", "padding_token_id", "mask_token_id",
                                       "fim_pre_token_id", "fim_pad_token_id",   "token_type_count"};
constexpr std::array tokenizers = {"llama",     "gpt2",       "bert",   "t5",   "rwkv",     "plamo2", "test",
                                   "hybriddna", "whitespace", "gemma4", "none", "no_vocab", "x",      ""};
constexpr std::array ways = {"default",      "llama-bpe", "gpt-2",      "falcon",  "qwen2",
                             "deepseek-llm", "gemma4",    "whitespace", "kimi-k2", "sarvam-moe",
                             "chatglm-bpe",  "superbpe",  "tekken",     "x",       ""};
constexpr std::array architectures = {"llama", "gemma2", "gemma3", "mamba",     "jamba", "rwkv7", "qwen2", "bert", "t5",
                                      "clip",  "gpt2",   "falcon", "deepseek2", "phi3",  "bloom", "mpt",   "x",    ""};
constexpr std::array tensor_names = {
    "rope_freqs.weight",         "blk.0.attn_q.bias",        "output.weight",          "output.bias", "blk.0.attn_rot_embd.weight",
    "blk.0.ffn_gate_inp.weight", "blk.0.attn_q_norm.weight", "blk.0.attn_output.bias", "x",           "token_embd_norm.weight"};

class Mutator {
 public:
  Mutator(const GgufFile& sound, const std::string& original, std::uint64_t seed) : file_(sound), original_(original), random_(seed) {
    if (const GgufFile::Value* name = file_.find("general.architecture")) architecture_ = name->elements.front();
  }

  Mutant make() {
    if (one_in(5)) return damage();
    const std::size_t changes = 1 + below(3);
    for (std::size_t i = 0; i < changes; ++i) change();
    return {file_.write(), story_};
  }

 private:
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  bool one_in(std::size_t chances) { return below(chances) == 0; }
  template <typename List>
  std::string any(const List& list) {
    return list[below(list.size())];
  }
  void tell(const std::string& what) { story_ += (story_.empty() ? "" : "; ") + what; }

  /// Damage that knows nothing of the format.
  Mutant damage() {
    std::string bytes = original_;
    const std::size_t header = std::min<std::size_t>(bytes.size(), 1 + below(2) * 4096 + below(1 + below(bytes.size())));
    switch (below(3)) {
      case 0: bytes.resize(below(bytes.size())); return {bytes, "cut to " + std::to_string(bytes.size()) + " bytes"};
      case 1: {
        const std::size_t flips = 1 + below(8);
        for (std::size_t i = 0; i < flips; ++i) {
          const std::size_t at = below(header);
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
          tell("bit in byte " + std::to_string(at));
        }
        return {bytes, story_};
      }
      default: {
        const std::size_t at = below(header);
        const std::string number = integer_bytes(10);
        bytes.replace(at, std::min(number.size(), bytes.size() - at), number.substr(0, std::min(number.size(), bytes.size() - at)));
        return {bytes, "number in byte " + std::to_string(at)};
      }
    }
  }

  std::uint64_t integer() {
    constexpr std::array<std::uint64_t, 24> awkward = {0,    1,      2,      3,           5,           7,           8,           31,
                                                       64,   127,    128,    255,         256,         511,         513,         1024,
                                                       1025, 65'535, 65'536, 0x7FFF'FFFF, 0x8000'0000, 0xFFFF'FFFE, 0xFFFF'FFFF, ~0ULL};
    return one_in(5) ? random_() : one_in(4) ? below(4096) : awkward[below(awkward.size())];
  }

  double decimal() {
    const std::array<double, 12> awkward = {0, -1, 1, std::nan(""), INFINITY, -INFINITY, 1e38, -1e38, 1e-45, 1e-10, -0.0, 0.5};
    return awkward[below(awkward.size())];
  }

  std::string integer_bytes(std::uint32_t type) {
    const std::string all = bytes_of(integer());
    constexpr std::array<std::size_t, 13> sizes = {1, 1, 2, 2, 4, 4, 4, 1, 8, 8, 8, 8, 8};
    return all.substr(0, sizes[type % sizes.size()]);
  }

  std::string text() {
    switch (below(7)) {
      case 0: return {};
      case 1: return std::string(1 + below(200'000), 'A');
      case 2: return std::string("a\0b", 3);
      case 3: return "\xFF\xFE";
      case 4: return any(tokenizers);
      case 5: return any(architectures);
      default: {
        std::string letters(below(20), ' ');
        for (char& letter : letters) letter = static_cast<char>(random_());
        return letters;
      }
    }
  }

  std::string element(std::uint32_t type) {
    if (type == string_type) return text();
    if (type == 6) return bytes_of(static_cast<float>(decimal()));
    if (type == 12) return bytes_of(decimal());
    return integer_bytes(type);
  }

  void change() {
    switch (below(10)) {
      case 0:
      case 1:
      case 2: return change_value();
      case 3:
      case 4: return add_value();
      case 5: return change_tokenizer();
      case 6:
      case 7:
      case 8: return change_tensor();
      default: return change_structure();
    }
  }

  void change_value() {
    if (file_.values.empty()) return;
    GgufFile::Value& value = file_.values[below(file_.values.size())];
    if (value.type != array_type) {
      if (one_in(4)) value.type = static_cast<std::uint32_t>(below(9));
      value.elements = {element(value.type)};
      return tell(value.key + " = " + shown(value));
    }
    auto& list = value.elements;
    switch (below(7)) {
      case 0: list.clear(); break;
      case 1:
        if (!list.empty()) list.pop_back();
        break;
      case 2: list.push_back(element(value.element)); break;
      case 3:
        value.element = static_cast<std::uint32_t>(below(13));
        if (value.element == array_type) value.element = 10;
        for (std::string& one : list) one = element(value.element);
        break;
      case 4:
        if (list.size() > 1) list[below(list.size())] = list[below(list.size())];
        break;
      case 5: list.resize(list.size() / 2); break;
      default:
        if (!list.empty()) list[below(list.size())] = element(value.element);
    }
    tell(value.key + " has other elements");
  }

  void add_value() {
    const std::string before = architecture_ + ".";
    std::string key;
    switch (below(4)) {
      case 0: file_.set_f32(key = before + any(float_keys), static_cast<float>(decimal())); break;
      case 1: file_.set(key = before + any(flag_keys), 7, bytes_of<std::uint8_t>(static_cast<std::uint8_t>(below(3)))); break;
      default:
        key = before + any(integer_keys);
        if (one_in(4)) {
          std::vector<std::string> numbers(one_in(2) ? below(600) : 1 + below(8));
          for (std::string& number : numbers) number = integer_bytes(4);
          file_.set_array(key, one_in(2) ? 4 : 5, numbers);
        } else {
          file_.set(key, 4, integer_bytes(4));
        }
    }
    tell(key + " = " + shown(*file_.find(key)));
  }

  void change_tokenizer() {
    std::string key;
    switch (below(5)) {
      case 0: file_.set_text(key = "tokenizer.ggml.model", any(tokenizers)); break;
      case 1: file_.set_text(key = "tokenizer.ggml.pre", any(ways)); break;
      case 2: file_.set(key = "tokenizer.ggml." + any(tokenizer_keys), 4, integer_bytes(4)); break;
      case 3:
        file_.set(key = std::string("tokenizer.ggml.") + (one_in(2) ? "add_bos_token" : "add_space_prefix"), 7,
                  bytes_of<std::uint8_t>(static_cast<std::uint8_t>(below(2))));
        break;
      default:
        if (GgufFile::Value* types = file_.find(key = "tokenizer.ggml.token_type"); types != nullptr && types->element == 5) {
          const std::string type = bytes_of<std::int32_t>(static_cast<std::int32_t>(below(8)));
          const bool all = one_in(3);
          for (std::string& one : types->elements) {
            if (all || one_in(50)) one = type;
          }
        }
    }
    tell(key);
  }

  void change_tensor() {
    if (file_.tensors.empty()) return;
    const std::size_t which = below(file_.tensors.size());
    // Room for one more, so that the reference stays good.
    file_.tensors.reserve(file_.tensors.size() + 1);
    GgufFile::Tensor& tensor = file_.tensors[which];
    const std::string name = tensor.name;
    switch (below(8)) {
      case 0: tensor.type = static_cast<std::uint32_t>(below(GGML_TYPE_COUNT + 2)); break;
      case 1:
        if (!tensor.shape.empty()) tensor.shape[below(tensor.shape.size())] = integer();
        break;
      case 2:
        if (tensor.shape.size() > 1) std::swap(tensor.shape[0], tensor.shape[1]);
        break;
      case 3: tensor.shape.resize(below(6), 1); break;
      case 4: tensor.name = one_in(2) ? any(tensor_names) : file_.tensors[below(file_.tensors.size())].name; break;
      case 5: tensor.data.assign(tensor.data.size(), one_in(2) ? '\xFF' : '\0'); break;
      case 6: {
        GgufFile::Tensor added = tensor;
        added.name = any(tensor_names);
        file_.tensors.push_back(std::move(added));
        break;
      }
      default:
        file_.tensors.erase(file_.tensors.begin() + static_cast<std::ptrdiff_t>(below(file_.tensors.size())));
        return tell("a tensor less");
    }
    // Another type or shape gets the data that it needs, or the file would be refused for that alone.
    if (!one_in(4)) fit(tensor);
    tell("tensor " + name + ": type " + std::to_string(tensor.type) + ", " + std::to_string(tensor.shape.size()) + " dimensions, " +
         tensor.name);
  }

  static void fit(GgufFile::Tensor& tensor) {
    constexpr std::size_t most = 16 * 1024 * 1024;
    if (tensor.type >= GGML_TYPE_COUNT || tensor.shape.empty()) return;
    const auto type = static_cast<ggml_type>(tensor.type);
    if (ggml_blck_size(type) == 0) return;
    std::size_t size = ggml_type_size(type);
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      const std::size_t length = i == 0 ? tensor.shape[0] / static_cast<std::size_t>(ggml_blck_size(type)) : tensor.shape[i];
      if (length != 0 && size > most / length) return;
      size *= length;
    }
    tensor.data.resize(size, '\x3C');
  }

  void change_structure() {
    switch (below(6)) {
      case 0: file_.version = static_cast<std::uint32_t>(integer()); return tell("version " + std::to_string(file_.version));
      case 1: file_.set("general.alignment", 4, integer_bytes(4)); return tell("general.alignment");
      case 2:
        file_.set_text("general.architecture", any(architectures));
        return tell("general.architecture = " + file_.find("general.architecture")->elements.front());
      case 3:
        if (file_.values.empty()) return;
        file_.values.erase(file_.values.begin() + static_cast<std::ptrdiff_t>(below(file_.values.size())));
        return tell("a key less");
      case 4:
        if (file_.values.empty()) return;
        file_.values.push_back(file_.values[below(file_.values.size())]);
        return tell("a key twice");
      default:
        file_.set_text("tokenizer.chat_template",
                       one_in(2) ? "{% for x in range(99999) %}{% for y in range(99999) %}a{% endfor %}{% endfor %}" : text());
        return tell("tokenizer.chat_template");
    }
  }

  static std::string shown(const GgufFile::Value& value) {
    std::string text = "type " + std::to_string(value.type) + ":";
    for (std::size_t i = 0; i < value.elements.size() && i < 4; ++i) {
      std::uint64_t number = 0;
      std::memcpy(&number, value.elements[i].data(), std::min(sizeof number, value.elements[i].size()));
      text += " " + std::to_string(number);
    }
    return text;
  }

  GgufFile file_;
  const std::string& original_;
  std::mt19937_64 random_;
  std::string architecture_;
  std::string story_;
};

}  // namespace

Mutant mutate(const GgufFile& sound, const std::string& original, std::uint64_t seed) { return Mutator(sound, original, seed).make(); }
