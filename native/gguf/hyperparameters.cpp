#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "basics/failure.h"
#include "ggml.h"
#include "gguf/architectures.h"
#include "gguf/validator.h"
#include "llama.h"

namespace nudging {

namespace {

constexpr std::int64_t largest_int = 2'147'483'647;
/// LLAMA_MAX_LAYERS and LLAMA_MAX_EXPERTS of llama-hparams.h: sizes of arrays there.
constexpr std::int64_t most_layers = 512;
constexpr std::int64_t most_experts = 1024;
/// Widths, ten and more times those of the largest models: products of two or three of them stay far below 2^63.
constexpr std::int64_t widest = 1 << 20;
constexpr std::int64_t most_heads = 1 << 14;
constexpr std::int64_t widest_head = 1 << 14;

struct Range {
  const char* key;
  std::int64_t low;
  std::int64_t high;
};

/// Keys behind the name of the architecture. Each may be one number, or an array with one a layer.
constexpr std::array ranges = {
    Range{"block_count", 1, most_layers},
    Range{"context_length", 1, largest_int},
    Range{"embedding_length", 1, widest},
    Range{"embedding_length_out", 0, widest},
    Range{"feed_forward_length", 0, 1 << 24},
    Range{"expert_feed_forward_length", 0, 1 << 24},
    Range{"vocab_size", 0, 1 << 24},
    Range{"attention.head_count", 0, most_heads},
    Range{"attention.head_count_kv", 0, most_heads},
    Range{"attention.key_length", 0, widest_head},
    Range{"attention.value_length", 0, widest_head},
    Range{"attention.key_length_swa", 0, widest_head},
    Range{"attention.value_length_swa", 0, widest_head},
    Range{"attention.key_length_mla", 0, widest_head},
    Range{"attention.value_length_mla", 0, widest_head},
    Range{"attention.sliding_window", 0, largest_int},
    Range{"rope.dimension_count", 0, widest_head},
    Range{"rope.dimension_count_swa", 0, widest_head},
    Range{"rope.scaling.original_context_length", 1, largest_int},
    Range{"expert_count", 0, most_experts},
    Range{"expert_used_count", 0, most_experts},
    // LLAMA_EXPERT_GATING_FUNC_TYPE_SQRT_SOFTPLUS is the last.
    Range{"expert_gating_func", 0, 4},
    Range{"expert_group_count", 0, most_experts},
    Range{"expert_group_used_count", 0, most_experts},
    Range{"nextn_predict_layers", 0, most_layers - 1},
    Range{"interleave_moe_layer_step", 0, most_layers},
    Range{"ssm.conv_kernel", 0, 1 << 16},
    Range{"ssm.inner_size", 0, widest},
    Range{"ssm.state_size", 0, 1 << 16},
    Range{"ssm.time_step_rank", 0, 1 << 16},
    Range{"ssm.group_count", 0, 1 << 16},
    Range{"wkv.head_size", 0, widest_head},
    Range{"full_attention_interval", 0, most_layers},
    Range{"experts_per_group", 0, most_experts},
    Range{"attention.output_group_count", 0, widest},
    Range{"attention.indexer.block_size", 0, widest},
    Range{"attention.indexer.top_k", 0, largest_int},
    Range{"hyper_connection.sinkhorn_iterations", 0, 1 << 16},
    Range{"hrm.layers_per_stack", 0, most_layers},
    Range{"hrm.h_cycles", 0, most_layers},
    Range{"hrm.l_cycles", 0, most_layers},
    Range{"num_loops", 0, most_layers},
};

/// Keys that must not be 0 where they are read. Elsewhere they may be: what llama.cpp saves has every key, those of other architectures
/// with 0.
struct Divisor {
  const char* key;
  std::span<const std::string_view> readers;
};
constexpr std::array divisors = {
    Divisor{"ssm.conv_kernel", architectures::convolutions},
    Divisor{"ssm.inner_size", architectures::state_spaces},
    Divisor{"ssm.state_size", architectures::state_spaces},
    Divisor{"ssm.time_step_rank", architectures::state_spaces},
    Divisor{"wkv.head_size", architectures::rwkv},
    Divisor{"full_attention_interval", architectures::mixed_attention},
    Divisor{"experts_per_group", architectures::grouped_experts},
    Divisor{"attention.output_group_count", architectures::grouped_outputs},
    Divisor{"attention.indexer.block_size", architectures::indexed_blocks},
    Divisor{"hrm.layers_per_stack", architectures::stacks},
    Divisor{"hrm.h_cycles", architectures::stacks},
    Divisor{"hrm.l_cycles", architectures::stacks},
    Divisor{"num_loops", architectures::loops},
    Divisor{"interleave_moe_layer_step", architectures::interleaved},
    Divisor{"attention.sliding_window", architectures::windows},
    Divisor{"hyper_connection.sinkhorn_iterations", architectures::hyper_connected},
    Divisor{"attention.key_length_mla", architectures::always_latent},
    Divisor{"attention.value_length_mla", architectures::always_latent},
};

/// Architectures that divide by, or assert on, the number of experts.
constexpr std::array<std::string_view, 15> mixtures = {"bailingmoe2",  "glm4moe",   "hunyuan-moe", "grovemoe", "llada-moe",
                                                       "smallthinker", "lfm2moe",   "mellum",      "qwen2moe", "qwen3moe",
                                                       "qwen3vlmoe",   "qwen35moe", "qwen3next",   "rnd1",     "qwen4exp"};
/// Architectures whose state space has heads and groups (Mamba 2, and linear attention written in its terms).
constexpr std::array<std::string_view, 8> grouped_states = {"mamba2",         "falcon-h1", "granitehybrid", "nemotron_h",
                                                            "nemotron_h_moe", "qwen3next", "qwen35",        "qwen35moe"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Hyperparameters {
 public:
  explicit Hyperparameters(const GgufHeader& header) : header_(header), architecture_(header.text("general.architecture")) {}

  void check() const {
    const GgufValue* name = header_.find("general.architecture");
    if (name == nullptr) header_.refuse("the key \"general.architecture\" is missing");
    if (name->is_array || name->type != GgufType::string || architecture_.empty())
      header_.refuse("the key \"general.architecture\" is not the name of an architecture");
    check_purpose();
    for (const Range& range : ranges) check_range(range);
    for (const auto& [name, readers] : divisors) {
      if (is_one_of(architecture_, readers) && integer(name) == 0) refuse(name, 0, "at least 1");
    }
    check_floats();
    check_rope();
    check_own();
    check_layers();
    check_heads();
    check_head_lengths();
    check_experts();
    check_states();
    for (const GgufTensor& tensor : header_.tensors()) check_tensor(tensor);
    for (const architectures::Companions& pair : architectures::companions) {
      if (architecture_ == pair.architecture) check_companion(pair);
    }
  }

 private:
  void check_purpose() const {
    const auto refuse_as = [this](const char* what) {
      throw Failure(FailureKind::model_unsupported, "\"" + header_.path() + "\" is " + what + " (" + architecture_ +
                                                        "): use a model that generates text from left to right");
    };
    if (architecture_ == "clip") refuse_as("an image encoder");
    const auto pooling = static_cast<std::int32_t>(integer("pooling_type").value_or(LLAMA_POOLING_TYPE_NONE));
    if (pooling != LLAMA_POOLING_TYPE_NONE && pooling != LLAMA_POOLING_TYPE_UNSPECIFIED) refuse_as("an embedding model");
    if (integer("attention.causal") == 0) refuse_as("an embedding or diffusion model");
  }

  std::string key(const char* name) const { return architecture_ + "." + name; }

  /// One number, or one a layer; nothing if the key is missing.
  std::vector<std::int64_t> integers(const char* name) const {
    std::vector<std::int64_t> numbers;
    if (const GgufValue* value = header_.find(key(name)))
      header_.each_integer(*value, [&](std::int64_t number) { numbers.push_back(number); });
    return numbers;
  }

  std::optional<std::int64_t> integer(const char* name) const {
    const std::vector<std::int64_t> numbers = integers(name);
    return numbers.empty() ? std::nullopt : std::optional(numbers.front());
  }

  [[noreturn]] void refuse(const char* name, std::int64_t value, const std::string& expected) const {
    header_.refuse("the key " + in_quotes(key(name)) + " is " + std::to_string(value) + " and must be " + expected);
  }

  void check_range(const Range& range) const {
    const GgufValue* value = header_.find(key(range.key));
    if (value == nullptr) return;
    const bool fits =
        value->type == GgufType::u32 || (value->is_array && (value->type == GgufType::i32 || value->type == GgufType::boolean));
    if (!fits) header_.refuse("the key " + in_quotes(key(range.key)) + " has the type " + name_of(value->type) + " and must have u32");
    if (value->is_array && value->count > static_cast<std::uint64_t>(most_layers)) {
      header_.refuse("the key " + in_quotes(key(range.key)) + " is an array of " + std::to_string(value->count) +
                     " numbers, and there can be " + std::to_string(most_layers) + " layers");
    }
    header_.each_integer(*value, [&](std::int64_t number) {
      if (number < range.low || number > range.high)
        refuse(range.key, number, "from " + std::to_string(range.low) + " to " + std::to_string(range.high));
    });
  }

  /// ggml's norms assert that epsilon is not negative, and nothing is prepared for a constant that is not a number.
  void check_floats() const {
    for (const auto& entry : header_.values()) {
      const std::string& name = entry.first;
      if (!name.starts_with(architecture_ + ".")) continue;
      const bool is_epsilon = name.ends_with("epsilon");
      header_.each_float(entry.second, [&](double number) {
        // llama.cpp's own sign for "no bound", which is what it saves for architectures that have none.
        if (number == -std::numeric_limits<double>::infinity() && name == key("kda.gate_lower_bound") && architecture_ != "bailingmoe3")
          return;
        if (architecture_ == "bailingmoe3" && name == key("kda.gate_lower_bound") && !(number < 0))
          header_.refuse("the key " + in_quotes(name) + " is " + std::to_string(number) + " and must be negative");
        if (!std::isfinite(number) || (is_epsilon && number < 0)) {
          header_.refuse("the key " + in_quotes(name) + " is " + std::to_string(number) + " and must be " +
                         (is_epsilon ? "a number that is not negative" : "a finite number"));
        }
      });
    }
  }

  void check_rope() const {
    if (const GgufValue* value = header_.find(key("rope.scaling.type"));
        value != nullptr && !value->is_array && value->type == GgufType::string) {
      const std::string type = header_.text(key("rope.scaling.type"));
      if (type != "none" && type != "linear" && type != "yarn" && type != "longrope") {
        throw Failure(
            FailureKind::model_unsupported,
            "\"" + header_.path() + "\" scales positions by " + in_quotes(type) +
                " (rope.scaling.type), and none, linear, yarn and longrope are known: update nudging, or convert the model again");
      }
    }
    for (const char* name : {"rope.dimension_count", "rope.dimension_count_swa"}) {
      for (const std::int64_t dimensions : integers(name)) {
        if (dimensions % 2 != 0) refuse(name, dimensions, "even, because positions turn pairs");
        // ggml never comes back from a rotation of nothing.
        if (dimensions == 0 && has_heads()) refuse(name, dimensions, "at least 2");
      }
    }
    const auto dimensions = integer("rope.dimension_count");
    const auto heads = integer("attention.head_count");
    const auto width = integer("embedding_length");
    auto length = integer("attention.key_length");
    if (!length && heads && width && *heads > 0) length = *width / *heads;
    if (dimensions && heads && *heads > 0 && length && *dimensions > *length) {
      refuse("rope.dimension_count", *dimensions, "at most the length of a key, " + std::to_string(*length));
    }
    const auto windowed = integer("rope.dimension_count_swa");
    const auto windowed_length = integer("attention.key_length_swa");
    const auto longest = windowed_length ? windowed_length : length;
    if (windowed && has_heads() && longest && *windowed > *longest) {
      refuse("rope.dimension_count_swa", *windowed, "at most the length of a key, " + std::to_string(*longest));
    }
  }

  /// What single architectures assert.
  void check_own() const {
    if (architecture_ == "hrm_text") {
      const std::int64_t layers =
          integer("hrm.layers_per_stack").value_or(0) * integer("hrm.h_cycles").value_or(0) * (integer("hrm.l_cycles").value_or(0) + 1);
      if (integer("block_count") != layers)
        refuse("block_count", integer("block_count").value_or(0),
               "hrm.layers_per_stack × hrm.h_cycles × (hrm.l_cycles + 1), which is " + std::to_string(layers));
      if (integer("nextn_predict_layers").value_or(0) != 0) refuse("nextn_predict_layers", *integer("nextn_predict_layers"), "0");
    }
    if (is_one_of(architecture_, architectures::shared_indexers) && integer("attention.indexer.types") == 0)
      refuse("attention.indexer.types", 0, "1 for the first layer");
    if (architecture_ == "paddleocr" && integers("rope.dimension_sections").empty())
      refuse("rope.dimension_sections", 0, "a list of four numbers");
    if (architecture_ == "plamo2" && integer("ssm.group_count").value_or(0) != 0)
      refuse("ssm.group_count", *integer("ssm.group_count"), "0");
    if (architecture_ == "afmoe" && !integer("attention.sliding_window")) refuse("attention.sliding_window", 0, "at least 1");
    if (architecture_ == "bailingmoe3" && integer("kda.safe_gate") == 0) refuse("kda.safe_gate", 0, "true");
    // Attention that cools with distance divides by the distance. Others take a distance that is not in the file.
    const GgufValue* scale = header_.find(key("attention.temperature_scale"));
    const bool reads_distance = architecture_ == "deepseek2" || architecture_ == "mistral4";
    if (!reads_distance || scale == nullptr || integer("attention.temperature_length").value_or(0) > 0) return;
    header_.each_float(*scale, [this](double number) {
      if (number != 0) refuse("attention.temperature_length", 0, "at least 1, because attention.temperature_scale is not 0");
    });
  }

  void check_layers() const {
    const auto layers = integer("block_count");
    const auto predicting = integer("nextn_predict_layers");
    if (layers && predicting && *predicting >= *layers)
      refuse("nextn_predict_layers", *predicting, "less than block_count, which is " + std::to_string(*layers));
    // A number n makes every nth layer see everything; an array says of each layer whether it has a window. A cache for windows needs one
    // of them.
    const std::vector<std::int64_t> windows = integers("attention.sliding_window_pattern");
    const bool is_array = windows.size() != 1;
    const bool none =
        is_array ? std::none_of(windows.begin(), windows.end(), [](std::int64_t window) { return window != 0; }) : windows.front() == 1;
    if (!windows.empty() && none && (!is_array || integer("attention.sliding_window").value_or(0) > 0)) {
      refuse("attention.sliding_window_pattern", windows.front(), "such that a layer has a sliding window");
    }
    const auto stacked = integer("n_deepstack_layers");
    if (layers && stacked && *stacked > *layers)
      refuse("n_deepstack_layers", *stacked, "at most block_count, which is " + std::to_string(*layers));
    if (architecture_ == "qwen4exp") {
      const std::int64_t parts = (integer("ple.ngram_size").value_or(1) - 1) * integer("ple.heads_per_ngram").value_or(0);
      const std::int64_t width = integer("embedding_length").value_or(0);
      const std::int64_t part = integer("embedding_length_per_layer_input").value_or(0);
      if (parts != 0 && parts * part != width)
        refuse("ple.heads_per_ngram", integer("ple.heads_per_ngram").value_or(0),
               "such that all heads fill the width, " + std::to_string(width));
    }
    const auto sharing = integer("attention.shared_kv_layers");
    if (layers && sharing && *sharing >= *layers)
      refuse("attention.shared_kv_layers", *sharing, "less than block_count, which is " + std::to_string(*layers));
  }

  bool has_heads() const { return integer("attention.head_count").value_or(0) > 0; }

  /// Query heads share key heads, each of these the same number.
  void check_heads() const {
    const std::vector<std::int64_t> heads = integers("attention.head_count");
    if (!is_one_of(architecture_, architectures::without_attention) &&
        std::none_of(heads.begin(), heads.end(), [](std::int64_t each) { return each > 0; })) {
      refuse("attention.head_count", 0, "at least 1 in some layer");
    }
    const std::vector<std::int64_t> shared = integers("attention.head_count_kv");
    // What the file does not say is one for each.
    if (shared.empty() && has_heads() && heads.front() > 1 && is_one_of(architecture_, architectures::single_head))
      refuse("attention.head_count_kv", heads.front(), "1");
    // An array says which layers have none.
    if (shared.size() == 1 && shared.front() == 0 && has_heads()) refuse("attention.head_count_kv", 0, "at least 1");
    for (std::size_t i = 0; i < std::max(heads.size(), shared.size()) && !heads.empty() && !shared.empty(); ++i) {
      const std::int64_t all = heads[std::min(i, heads.size() - 1)];
      const std::int64_t each = shared[std::min(i, shared.size() - 1)];
      if (each != all && is_one_of(architecture_, architectures::unshared_heads))
        refuse("attention.head_count_kv", each, "attention.head_count, which is " + std::to_string(all));
      if (each > 1 && is_one_of(architecture_, architectures::single_head)) refuse("attention.head_count_kv", each, "1");
      if (each > 0 && all % each != 0)
        refuse("attention.head_count_kv", each, "a divisor of attention.head_count, which is " + std::to_string(all));
    }
  }

  void check_head_lengths() const {
    const auto heads = integer("attention.head_count");
    const auto width = integer("embedding_length");
    // Without heads in the first layer, llama.cpp takes all lengths for 0.
    if (!heads || !width || *heads == 0) return;
    const std::int64_t key_length = integer("attention.key_length").value_or(*width / *heads);
    const std::int64_t value_length = integer("attention.value_length").value_or(*width / *heads);
    const std::int64_t rotated = integer("rope.dimension_count").value_or(key_length);
    if (!is_one_of(architecture_, architectures::two_head_lengths) && key_length != value_length) {
      refuse("attention.value_length", value_length, "the length of a key, " + std::to_string(key_length));
    }
    for (const auto& [name, length] :
         {std::pair("attention.key_length_swa", key_length), std::pair("attention.value_length_swa", value_length)}) {
      const auto windowed = integer(name);
      if (windowed && *windowed != length && !is_one_of(architecture_, architectures::own_window_heads))
        refuse(name, *windowed, "the same as without a window, " + std::to_string(length));
    }
    check_latent(key_length, value_length, rotated);
    if (is_one_of(architecture_, architectures::whole_rotation) && rotated != value_length) {
      refuse("rope.dimension_count", rotated, "the length of a head, " + std::to_string(value_length));
    }
    if (const auto windowed = integer("rope.dimension_count_swa");
        windowed && *windowed != value_length && is_one_of(architecture_, architectures::whole_rotation)) {
      refuse("rope.dimension_count_swa", *windowed, "the length of a head, " + std::to_string(value_length));
    }
    if (is_one_of(architecture_, architectures::heads_fill_width) && (key_length * *heads != *width || value_length != key_length)) {
      refuse("attention.head_count", *heads,
             "such that heads of length " + std::to_string(key_length) + " fill the width, " + std::to_string(*width));
    }
  }

  /// What is cached for all heads together, where heads have longer keys of their own.
  void check_latent(std::int64_t key_length, std::int64_t value_length, std::int64_t rotated) const {
    const std::int64_t own_length = integer("attention.key_length_mla").value_or(0);
    if (own_length == 0 || !is_one_of(architecture_, architectures::latent_attention)) return;
    const std::int64_t rank = integer("attention.kv_lora_rank").value_or(0);
    if (own_length <= rotated)
      refuse("attention.key_length_mla", own_length, "more than what is rotated of it, " + std::to_string(rotated));
    if (key_length != rank + rotated)
      refuse("attention.key_length", key_length, "attention.kv_lora_rank and what is rotated together, " + std::to_string(rank + rotated));
    if (value_length != rank) refuse("attention.value_length", value_length, "attention.kv_lora_rank, " + std::to_string(rank));
    if (const auto windowed_rank = integer("attention.kv_lora_rank_swa"); windowed_rank && *windowed_rank > 0) {
      const std::int64_t windowed = integer("attention.key_length_swa").value_or(key_length);
      const std::int64_t both = *windowed_rank + integer("rope.dimension_count_swa").value_or(rotated);
      if (windowed != both)
        refuse("attention.key_length_swa", windowed, "attention.kv_lora_rank_swa and what is rotated together, " + std::to_string(both));
    }
  }

  /// As llama.cpp asserts.
  void check_experts() const {
    const std::int64_t experts = integer("expert_count").value_or(0);
    const std::vector<std::int64_t> used = integers("expert_used_count");
    const std::int64_t most_used = used.empty() ? 0 : *std::max_element(used.begin(), used.end());
    const std::int64_t groups = integer("expert_group_count").value_or(0);
    const std::int64_t groups_used = integer("expert_group_used_count").value_or(0);
    if (is_one_of(architecture_, architectures::need_gating) && integer("expert_gating_func").value_or(0) == 0)
      refuse("expert_gating_func", 0, "from 1 to 4");
    if (is_one_of(architecture_, mixtures) && experts == 0) refuse("expert_count", 0, "at least 1 in a mixture of experts");
    // A single expert stands for none here.
    if ((architecture_ == "hunyuan-dense" || architecture_ == "hunyuan_vl") && experts <= 1) {
      if (groups > 0) refuse("expert_group_count", groups, "0, because there are no experts");
      return;
    }
    if (most_used > experts) refuse("expert_used_count", most_used, "at most expert_count, which is " + std::to_string(experts));
    if (experts > 0 && most_used == 0) refuse("expert_used_count", 0, "at least 1, because expert_count is " + std::to_string(experts));
    if (groups > 0 && groups >= experts)
      refuse("expert_group_count", groups, "less than expert_count, which is " + std::to_string(experts));
    if (groups > 1 && experts % groups != 0)
      refuse("expert_group_count", groups, "a divisor of expert_count, which is " + std::to_string(experts));
    if (groups > 1 && (groups_used < 1 || groups_used >= groups))
      refuse("expert_group_used_count", groups_used, "from 1 to less than expert_group_count, which is " + std::to_string(groups));
  }

  /// State spaces, and RWKV's heads.
  void check_states() const {
    const auto width = integer("embedding_length");
    const auto inner = integer("ssm.inner_size");
    if ((architecture_ == "jamba" || architecture_ == "granitehybrid") && width && inner && *inner != 2 * *width) {
      refuse("ssm.inner_size", *inner, "twice embedding_length, which is " + std::to_string(*width));
    }
    if (const auto heads = integer("ssm.time_step_rank"), length = integer("ssm.state_size");
        is_one_of(architecture_, architectures::square_states) && inner && heads && length && *inner != *heads * *length) {
      refuse("ssm.inner_size", *inner, "ssm.time_step_rank × ssm.state_size, which is " + std::to_string(*heads * *length));
    }
    if (const auto head = integer("wkv.head_size"); head && *head > 0 && width && *width % *head != 0)
      refuse("wkv.head_size", *head, "a divisor of embedding_length, which is " + std::to_string(*width));
    if (const auto shifts = integer("token_shift_count"); shifts && (architecture_.starts_with("rwkv") || architecture_ == "arwkv7")) {
      // RWKV of its own shifts in two places of a layer, the kinds made from Qwen in one.
      const std::int64_t expected = architecture_ == "rwkv6" || architecture_ == "rwkv7" ? 2 : 1;
      if (*shifts != expected) refuse("token_shift_count", *shifts, std::to_string(expected));
    }
    if (!is_one_of(architecture_, grouped_states) || !inner) return;
    for (const char* name : {"ssm.group_count", "ssm.time_step_rank"}) {
      if (const auto parts = integer(name); parts && (*parts == 0 || *inner % *parts != 0))
        refuse(name, *parts, "a divisor of ssm.inner_size, which is " + std::to_string(*inner));
    }
  }

  [[noreturn]] void refuse_type(const GgufTensor& tensor, const std::string& expected) const {
    throw Failure(FailureKind::model_unsupported, "\"" + header_.path() + "\" holds the tensor " + in_quotes(tensor.name) + " as " +
                                                      ggml_type_name(static_cast<ggml_type>(tensor.type)) +
                                                      ", which llama.cpp cannot compute with: " + expected);
  }

  /// ggml's CPU backend says that it supports every type everywhere, and aborts in the first decode if it does not.
  void check_tensor(const GgufTensor& tensor) const {
    switch (static_cast<ggml_type>(tensor.type)) {
      case GGML_TYPE_I32:
        // DeepSeek 4 looks experts up in a table of integers.
        if (tensor.name.find("_tid2eid.") != std::string::npos) return;
        [[fallthrough]];
      case GGML_TYPE_I8:
      case GGML_TYPE_I16:
      case GGML_TYPE_I64:
      case GGML_TYPE_F64:
      case GGML_TYPE_Q8_1:
      case GGML_TYPE_Q8_K: refuse_type(tensor, "convert the model again with llama.cpp's convert_hf_to_gguf.py");
      default: break;
    }
    const bool is_vector = tensor.dimensions == 1 || tensor.name.ends_with("_norm.weight") || tensor.name.ends_with(".bias") ||
                           tensor.name.find(".ssm_conv1d.") != std::string::npos;
    if (is_vector && tensor.type != GGML_TYPE_F32)
      refuse_type(tensor, "vectors and norms must be F32; quantise the model again with llama-quantize");
  }

  /// llama.cpp takes some tensors for optional, and uses them all the same.
  void check_companion(const architectures::Companions& pair) const {
    std::set<std::string_view> names;
    for (const GgufTensor& tensor : header_.tensors()) names.insert(tensor.name);
    for (const std::string_view name : names) {
      if (!name.ends_with(pair.tensor)) continue;
      const std::string layer(name.substr(0, name.size() - pair.tensor.size()));
      const std::string other = layer + std::string(pair.companion);
      const bool has_alternative = !pair.alternative.empty() && names.contains(layer + std::string(pair.alternative));
      if (!names.contains(other) && !has_alternative)
        header_.refuse("the tensor " + in_quotes(name) + " is there and " + in_quotes(other) + " is not");
    }
  }

  const GgufHeader& header_;
  std::string architecture_;
};

}  // namespace

void check_hyperparameters(const GgufHeader& header) { Hyperparameters(header).check(); }

}  // namespace nudging
