#include "gguf/validator.h"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "backend/llama_handles.h"
#include "backend/log.h"
#include "basics/failure.h"
#include "check.h"
#include "gguf_file.h"
#include "gguf_mutant.h"
#include "vocabularies.h"

using namespace nudging;

namespace {

constexpr std::uint32_t u32 = 4;
constexpr std::uint32_t i32 = 5;
constexpr std::uint32_t f32 = 6;
constexpr std::uint32_t string = 8;

/// Some of what a model says, and one tensor.
GgufFile sound() {
  GgufFile file;
  file.set_text("general.architecture", "llama");
  file.set_u32("llama.block_count", 2);
  file.set_u32("llama.context_length", 64);
  file.set_u32("llama.embedding_length", 32);
  file.set_u32("llama.feed_forward_length", 64);
  file.set_u32("llama.attention.head_count", 4);
  file.set_u32("llama.attention.head_count_kv", 2);
  file.set_u32("llama.rope.dimension_count", 8);
  file.set_f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  file.set_text("tokenizer.ggml.model", "gpt2");
  file.set_text("tokenizer.ggml.pre", "gpt-2");
  file.set_array("tokenizer.ggml.tokens", string, {"a", "b", "c"});
  file.set_array("tokenizer.ggml.token_type", i32, {bytes_of(1), bytes_of(1), bytes_of(3)});
  file.set_array("tokenizer.ggml.merges", string, {"a b"});
  file.set_u32("tokenizer.ggml.bos_token_id", 2);
  file.set_u32("tokenizer.ggml.eos_token_id", 2);
  file.tensors.push_back({"token_embd.weight", {32, 3}, 0, std::string(32 * 3 * 4, '\0')});
  file.tensors.push_back({"output_norm.weight", {32}, 0, std::string(32 * 4, '\0')});
  return file;
}

/// What the validator says about these bytes: nothing, or the code and the message.
std::string verdict(const std::string& bytes) {
  try {
    MemoryBytes source(bytes);
    const GgufHeader header(source, "x.gguf");
    check_hyperparameters(header);
    check_tokenizer(header);
    return {};
  } catch (const Failure& failure) {
    return std::string(failure_code(failure.kind())) + " " + failure.what();
  }
}

struct Wrong {
  std::string name;
  std::function<void(GgufFile&)> change;
  /// Must occur in what the validator says.
  std::string said;
};

void expect_refused(const std::vector<Wrong>& cases) {
  for (const Wrong& wrong : cases) {
    GgufFile file = sound();
    wrong.change(file);
    const std::string said = verdict(file.write());
    if (said.find(wrong.said) == std::string::npos || !said.starts_with("ERR_MODEL_") || said.find("x.gguf") == std::string::npos) {
      CHECK_EQUAL(wrong.name + ": " + said, wrong.said);
    }
  }
}

/// Whether ggml reads this header too.
bool ggml_accepts(const std::string& bytes) {
  const GgufHandle header(gguf_init_from_buffer(bytes.data(), bytes.size(), {.no_alloc = true, .ctx = nullptr}));
  return header != nullptr;
}

std::filesystem::path new_folder() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  const auto folder = std::filesystem::temp_directory_path() / ("nudging-parts-" + std::to_string(now));
  std::filesystem::create_directory(folder);
  return folder;
}

std::vector<std::filesystem::path> all_files() {
  std::vector<std::filesystem::path> all = collections::files(collections::models, "ggml-vocab-", ".gguf");
  for (const auto& path : collections::files(NUDGING_DEMO_MODELS, "", ".gguf")) all.push_back(path);
  return all;
}

}  // namespace

TEST("the validator accepts a sound header") { CHECK_EQUAL(verdict(sound().write()), ""); }

TEST("the validator accepts every model and vocabulary at hand, and is quick about it") {
  for (const auto& path : all_files()) {
    const auto start = std::chrono::steady_clock::now();
    std::string said;
    try {
      validate_gguf(path.string());
    } catch (const Failure& failure) {
      said = failure.what();
    }
    const bool embeds = path.string().find("bert") != std::string::npos;
    CHECK(embeds ? said.find("is an embedding") != std::string::npos : said.empty());
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
  }
}

TEST("the validator refuses a header whose structure is wrong") {
  expect_refused({
      {"magic", [](GgufFile& file) { file.magic = "GGML"; }, "is not a GGUF file: download the model as a GGUF file, or convert"},
      {"version 0", [](GgufFile& file) { file.version = 0; }, "its version is 0"},
      {"version 1", [](GgufFile& file) { file.version = 1; }, "ERR_MODEL_UNSUPPORTED \"x.gguf\" is a GGUF file of version 1"},
      {"version 4", [](GgufFile& file) { file.version = 4; }, "its version is 4"},
      {"big-endian", [](GgufFile& file) { file.version = 0x03000000; }, "ERR_MODEL_UNSUPPORTED \"x.gguf\" is a big-endian GGUF file"},
      {"empty key", [](GgufFile& file) { file.set_u32("", 1); }, "is empty"},
      {"NUL in a key", [](GgufFile& file) { file.set_u32(std::string("a\0b", 3), 1); }, "\"a?b\""},
      {"long key", [](GgufFile& file) { file.set_u32(std::string(70'000, 'k'), 1); }, "has a length of 70000 bytes, and at most 65535"},
      {"same key", [](GgufFile& file) { file.values.push_back(file.values[1]); }, "the key \"llama.block_count\" occurs twice"},
      {"type of a value", [](GgufFile& file) { file.set("x", 13, "    "); }, "the key \"x\" has the unknown type 13"},
      {"type of elements", [](GgufFile& file) { file.set_array("x", 99, {}); }, "the key \"x\" has the unknown type 99"},
      {"array of arrays", [](GgufFile& file) { file.set_array("x", 9, {}); }, "the key \"x\" is an array of arrays"},
      {"alignment of 0", [](GgufFile& file) { file.set_u32("general.alignment", 0); }, "\"general.alignment\" is 0"},
      {"alignment of 8", [](GgufFile& file) { file.set_u32("general.alignment", 8); }, "\"general.alignment\" is 8"},
      {"alignment of 48", [](GgufFile& file) { file.set_u32("general.alignment", 48); }, "\"general.alignment\" is 48"},
      {"alignment of 2^31", [](GgufFile& file) { file.set_u32("general.alignment", 1U << 31U); }, "\"general.alignment\" is 2147483648"},
      {"alignment that is a string", [](GgufFile& file) { file.set_text("general.alignment", "32"); }, "has the type string and not u32"},
      {"same tensor", [](GgufFile& file) { file.tensors.push_back(file.tensors[0]); }, "there are two tensors \"token_embd.weight\""},
      {"name of a tensor", [](GgufFile& file) { file.tensors[0].name = std::string(64, 't'); }, "has a length of 64 bytes, and at most 63"},
      {"NUL in a name", [](GgufFile& file) { file.tensors[0].name = std::string("t\0", 2); }, "a tensor has the name \"t?\""},
      {"no dimension", [](GgufFile& file) { file.tensors[0].shape.clear(); }, "has 0 dimensions"},
      {"five dimensions", [](GgufFile& file) { file.tensors[0].shape.assign(5, 1); }, "has 5 dimensions"},
      {"empty dimension", [](GgufFile& file) { file.tensors[0].shape[1] = 0; }, "is empty in dimension 1"},
      {"negative dimension", [](GgufFile& file) { file.tensors[0].shape[0] = ~0ULL; }, "more elements than can be counted"},
      {"product of dimensions", [](GgufFile& file) { file.tensors[0].shape = {1ULL << 32U, 1ULL << 32U}; },
       "more elements than can be counted"},
      {"size in bytes", [](GgufFile& file) { file.tensors[0].shape = {1ULL << 31U, 1ULL << 31U}; }, "more bytes than can be counted"},
      {"unknown type", [](GgufFile& file) { file.tensors[0].type = 4; }, "has the unknown type 4"},
      {"type behind the last", [](GgufFile& file) { file.tensors[0].type = 4'000'000'000; }, "has the unknown type 4000000000"},
      {"rows and blocks", [](GgufFile& file) { file.tensors[0].type = 8, file.tensors[0].shape = {33, 3}; },
       "has rows of 33 elements, and its type needs a multiple of 32"},
      {"offset", [](GgufFile& file) { file.tensors[0].data += std::string(32, ' '); }, "lies at 416 and should lie at 384"},
      {"end of the data", [](GgufFile& file) { file.tensors[1].data.pop_back(); }, "the tensor \"output_norm.weight\" needs 128 bytes"},
  });
}

TEST("the validator refuses counts and lengths beyond the file without allocating for them") {
  const std::string good = sound().write();
  const auto with = [&](std::size_t at, std::uint64_t number) {
    std::string bytes = good;
    bytes.replace(at, 8, bytes_of(number));
    return verdict(bytes);
  };
  CHECK(with(8, 30'001).find("says that it has 30001 tensors") != std::string::npos);
  CHECK(with(8, 20'000).find("its header of 16 keys and 20000 tensors takes") != std::string::npos);
  CHECK(with(8, ~0ULL).find("18446744073709551615 tensors") != std::string::npos);
  CHECK(with(16, ~0ULL).find("18446744073709551615 keys") != std::string::npos);
  // The length of the first key, and of its value.
  CHECK(with(24, ~0ULL).find("key 0 has a length of 18446744073709551615 bytes") != std::string::npos);
  CHECK(with(24 + 8 + 20 + 4, 1ULL << 24U).find("takes 16777216 bytes at byte") != std::string::npos);
  const std::size_t tokens = good.find("tokenizer.ggml.tokens") + 21 + 8;
  CHECK(with(tokens, 1ULL << 40U).find("is an array of 1099511627776 elements") != std::string::npos);
  CHECK(with(tokens, 1ULL << 23U).find("the key \"tokenizer.ggml.tokens\" takes 67108864 bytes") != std::string::npos);
}

TEST("the validator refuses a file that is cut anywhere") {
  const std::string good = sound().write();
  for (std::size_t length = 0; length < good.size(); ++length) {
    const std::string expected = length == 0 ? "is empty: download it again" : "damaged or cut short: download it again";
    if (verdict(good.substr(0, length)).find(expected) == std::string::npos) CHECK_EQUAL(length, good.size());
  }
}

TEST("the validator refuses hyperparameters that llama.cpp asserts on") {
  const auto number = [](const char* key, std::uint32_t value) { return [=](GgufFile& file) { file.set_u32(key, value); }; };
  // Attention over a latent vector of 16, of which and of 8 more the cached keys consist.
  const auto latent = [](const std::string& key, std::uint32_t value) {
    return [=](GgufFile& file) {
      const std::vector<std::pair<const char*, std::uint32_t>> numbers = {
          {"attention.head_count", 4},  {"attention.head_count_kv", 1}, {"attention.kv_lora_rank", 16},
          {"attention.key_length", 24}, {"attention.value_length", 16}, {"rope.dimension_count", 8},
          {"expert_gating_func", 1},    {"embedding_length", 32},       {"attention.key_length_mla", 12}};
      file.set_text("general.architecture", "deepseek32");
      for (const auto& [name, sound] : numbers) file.set_u32(std::string("deepseek32.") + name, sound);
      file.set_u32("deepseek32." + key, value);
    };
  };
  GgufFile sound_latent = sound();
  latent("block_count", 2)(sound_latent);
  CHECK_EQUAL(verdict(sound_latent.write()), "");
  expect_refused({
      {"no architecture", [](GgufFile& file) { file.values.erase(file.values.begin()); }, "\"general.architecture\" is missing"},
      {"architecture that is a number", number("general.architecture", 1), "\"general.architecture\" is not the name"},
      {"image encoder", [](GgufFile& file) { file.set_text("general.architecture", "clip"); }, "ERR_MODEL_UNSUPPORTED"},
      {"embedding model", number("llama.pooling_type", 1), "is an embedding model (llama): use a model that generates text"},
      {"diffusion model", [](GgufFile& file) { file.set("llama.attention.causal", 7, std::string(1, '\0')); },
       "is an embedding or diffusion model (llama)"},
      {"no layers", number("llama.block_count", 0), "\"llama.block_count\" is 0 and must be from 1 to 512"},
      {"layers", number("llama.block_count", 513), "is 513"},
      {"layers as a string", [](GgufFile& file) { file.set_text("llama.block_count", "2"); }, "has the type string and must have u32"},
      {"context", number("llama.context_length", 0), "\"llama.context_length\" is 0"},
      {"huge context", number("llama.context_length", 0x80000000), "is 2147483648"},
      {"width", number("llama.embedding_length", 0), "\"llama.embedding_length\" is 0"},
      {"heads", number("llama.attention.head_count", 0xFFFFFFFF), "is 4294967295"},
      {"shared heads", number("llama.attention.head_count_kv", 3), "must be a divisor of attention.head_count, which is 4"},
      {"heads of a layer", [](GgufFile& file) { file.set_array("llama.attention.head_count_kv", u32, {bytes_of(2), bytes_of(3)}); },
       "is 3 and must be a divisor"},
      {"heads of too many layers",
       [](GgufFile& file) { file.set_array("llama.attention.head_count", u32, std::vector<std::string>(513, bytes_of(4))); },
       "is an array of 513 numbers"},
      {"odd rotation", number("llama.rope.dimension_count", 7), "must be even"},
      {"rotation beyond the key", number("llama.rope.dimension_count", 10), "at most the length of a key, 8"},
      {"scaling of positions", [](GgufFile& file) { file.set_text("llama.rope.scaling.type", "dynamic"); }, "ERR_MODEL_UNSUPPORTED"},
      {"negative epsilon", [](GgufFile& file) { file.set_f32("llama.attention.layer_norm_rms_epsilon", -1); },
       "must be a number that is not negative"},
      {"epsilon that is no number", [](GgufFile& file) { file.set_f32("llama.attention.layer_norm_rms_epsilon", std::nanf("")); },
       "must be a number that is not negative"},
      {"infinite base", [](GgufFile& file) { file.set_f32("llama.rope.freq_base", INFINITY); }, "must be a finite number"},
      {"experts", number("llama.expert_count", 1025), "is 1025"},
      {"experts without use", number("llama.expert_count", 4), "must be at least 1, because expert_count is 4"},
      {"use without experts", number("llama.expert_used_count", 1), "must be at most expert_count, which is 0"},
      {"groups without experts", number("llama.expert_group_count", 2), "must be less than expert_count, which is 0"},
      {"groups that do not divide",
       [](GgufFile& file) {
         file.set_u32("llama.expert_count", 8), file.set_u32("llama.expert_used_count", 2), file.set_u32("llama.expert_group_count", 3),
             file.set_u32("llama.expert_group_used_count", 1);
       },
       "must be a divisor of expert_count, which is 8"},
      {"groups without use",
       [](GgufFile& file) {
         file.set_u32("llama.expert_count", 8), file.set_u32("llama.expert_used_count", 2), file.set_u32("llama.expert_group_count", 4);
       },
       "from 1 to less than"},
      {"all layers for prediction", number("llama.nextn_predict_layers", 2), "must be less than block_count, which is 2"},
      {"keys and values", number("llama.attention.value_length", 16),
       "\"llama.attention.value_length\" is 16 and must be the length of a key, 8"},
      {"part of a head rotated", number("llama.rope.dimension_count", 4), "must be the length of a head, 8"},
      {"heads that do not fill the width",
       [](GgufFile& file) {
         file.set_text("general.architecture", "qwen2"), file.set_u32("qwen2.embedding_length", 32),
             file.set_u32("qwen2.attention.head_count", 5);
       },
       "such that heads of length 6 fill the width, 32"},
      {"experts of a mixture",
       [](GgufFile& file) { file.set_text("general.architecture", "qwen3moe"), file.set_u32("qwen3moe.attention.head_count", 4); },
       "\"qwen3moe.expert_count\" is 0"},
      {"attention in every 0th layer",
       [](GgufFile& file) { file.set_text("general.architecture", "qwen35"), file.set_u32("qwen35.full_attention_interval", 0); },
       "\"qwen35.full_attention_interval\" is 0 and must be at least 1"},
      {"convolution", [](GgufFile& file) { file.set_text("general.architecture", "mamba"), file.set_u32("mamba.ssm.conv_kernel", 0); },
       "\"mamba.ssm.conv_kernel\" is 0"},
      {"bound of a gate",
       [](GgufFile& file) {
         file.set_text("general.architecture", "bailingmoe3"), file.set_f32("bailingmoe3.kda.gate_lower_bound", -INFINITY);
       },
       "is -inf and must be a finite number"},
      {"no heads", number("llama.attention.head_count", 0), "\"llama.attention.head_count\" is 0 and must be at least 1 in some layer"},
      {"no rotation", number("llama.rope.dimension_count", 0), "\"llama.rope.dimension_count\" is 0 and must be at least 2"},
      {"rotation beyond the key of a window", number("llama.rope.dimension_count_swa", 10),
       "\"llama.rope.dimension_count_swa\" is 10 and must be at most the length of a key, 8"},
      {"keys of a window", number("llama.attention.key_length_swa", 4),
       "\"llama.attention.key_length_swa\" is 4 and must be the same as without a window, 8"},
      {"unknown choice of experts", number("llama.expert_gating_func", 5), "\"llama.expert_gating_func\" is 5 and must be from 0 to 4"},
      {"no choice of experts", latent("expert_gating_func", 0), "\"deepseek32.expert_gating_func\" is 0 and must be from 1 to 4"},
      {"keys that are all rotated", latent("attention.key_length_mla", 8),
       "\"deepseek32.attention.key_length_mla\" is 8 and must be more than what is rotated of it, 8"},
      {"latent keys", latent("attention.key_length", 23),
       "\"deepseek32.attention.key_length\" is 23 and must be attention.kv_lora_rank and what is rotated together, 24"},
      {"latent values", latent("attention.value_length", 8),
       "\"deepseek32.attention.value_length\" is 8 and must be attention.kv_lora_rank, 16"},
      {"no shared head", number("llama.attention.head_count_kv", 0), "\"llama.attention.head_count_kv\" is 0 and must be at least 1"},
      {"attention that cools over no distance",
       [](GgufFile& file) {
         file.set_text("general.architecture", "deepseek2"), file.set_u32("deepseek2.attention.head_count", 4),
             file.set_f32("deepseek2.attention.temperature_scale", 1);
       },
       "\"deepseek2.attention.temperature_length\" is 0"},
      {"an unsafe gate",
       [](GgufFile& file) {
         file.set_text("general.architecture", "bailingmoe3"), file.set("bailingmoe3.kda.safe_gate", 7, std::string(1, '\0'));
       },
       "\"bailingmoe3.kda.safe_gate\" is 0 and must be true"},
      {"a gate without a bound",
       [](GgufFile& file) { file.set_text("general.architecture", "bailingmoe3"), file.set_f32("bailingmoe3.kda.gate_lower_bound", 0); },
       "\"bailingmoe3.kda.gate_lower_bound\" is 0.000000 and must be negative"},
      {"shared layers", number("llama.attention.shared_kv_layers", 2), "must be less than block_count"},
      {"inner size",
       [](GgufFile& file) {
         file.set_text("general.architecture", "jamba"), file.set_u32("jamba.attention.head_count", 4),
             file.set_u32("jamba.embedding_length", 32), file.set_u32("jamba.ssm.inner_size", 32);
       },
       "must be twice embedding_length, which is 32"},
      {"groups of a state",
       [](GgufFile& file) {
         file.set_text("general.architecture", "mamba2"), file.set_u32("mamba2.ssm.inner_size", 64),
             file.set_u32("mamba2.ssm.group_count", 0);
       },
       "\"mamba2.ssm.group_count\" is 0"},
      {"heads of RWKV",
       [](GgufFile& file) {
         file.set_text("general.architecture", "rwkv7"), file.set_u32("rwkv7.embedding_length", 32),
             file.set_u32("rwkv7.wkv.head_size", 24);
       },
       "must be a divisor of embedding_length"},
      {"shifts of RWKV", [](GgufFile& file) { file.set_text("general.architecture", "rwkv7"), file.set_u32("rwkv7.token_shift_count", 7); },
       "\"rwkv7.token_shift_count\" is 7 and must be 2"},
      {"no window", number("llama.attention.sliding_window_pattern", 1), "such that a layer has a sliding window"},
      {"no window in a list",
       [](GgufFile& file) {
         file.set_u32("llama.attention.sliding_window", 8),
             file.set_array("llama.attention.sliding_window_pattern", 7, {std::string(1, '\0'), std::string(1, '\0')});
       },
       "such that a layer has a sliding window"},
      {"head size", [](GgufFile& file) { file.set_text("general.architecture", "rwkv7"), file.set_u32("rwkv7.wkv.head_size", 0); },
       "\"rwkv7.wkv.head_size\" is 0"},
      {"weights of integers", [](GgufFile& file) { file.tensors[0].type = 26; }, "holds the tensor \"token_embd.weight\" as i32"},
      {"norm of half floats", [](GgufFile& file) { file.tensors[1].type = 1, file.tensors[1].data.resize(64); },
       "vectors and norms must be F32"},
  });
}

TEST("the validator refuses tokenizers that llama.cpp asserts on or never comes back from") {
  const auto tokenizer = [](const char* name, std::vector<std::string> tokens) {
    return [=](GgufFile& file) { file.set_text("tokenizer.ggml.model", name), file.set_array("tokenizer.ggml.tokens", string, tokens); };
  };
  const auto byte_type = [](const char* name) {
    return [=](GgufFile& file) {
      file.set_text("tokenizer.ggml.model", name),
          file.set_array("tokenizer.ggml.token_type", i32, std::vector<std::string>(3, bytes_of(6)));
    };
  };
  const auto charsmap = [](std::size_t size, char first) {
    return [=](GgufFile& file) {
      file.set_text("tokenizer.ggml.model", "t5");
      std::vector<std::string> bytes(size, std::string(1, '\0'));
      if (size > 0) bytes[0] = std::string(1, first);
      file.set_array("tokenizer.ggml.precompiled_charsmap", 0, bytes);
    };
  };
  expect_refused({
      {"name", [](GgufFile& file) { file.set_u32("tokenizer.ggml.model", 1); },
       "\"tokenizer.ggml.model\" has the type u32 and must have string"},
      {"template", [](GgufFile& file) { file.set_u32("tokenizer.chat_template", 1); }, "\"tokenizer.chat_template\" has the type u32"},
      {"no tokens", tokenizer("gpt2", {}), "\"tokenizer.ggml.tokens\" has no tokens"},
      {"tokens that are numbers", [](GgufFile& file) { file.set_array("tokenizer.ggml.tokens", u32, {bytes_of(1)}); },
       "has the type u32 array and must be an array of string"},
      {"tokens that are one string", [](GgufFile& file) { file.set_text("tokenizer.ggml.tokens", "a"); }, "must be an array of string"},
      {"same token", tokenizer("gpt2", {"a", "b", "a"}), "token 2 (\"a\") occurs twice"},
      {"same up to NUL", tokenizer("gpt2", {"a", std::string("a\0b", 3), "c"}), "token 1 (\"a\") occurs twice"},
      {"name of an empty token", tokenizer("gpt2", {"[EMPTY_1]", "", "c"}), "token 1 (\"[EMPTY_1]\") occurs twice"},
      {"long token", tokenizer("gpt2", {"a", "b", std::string(20'000, 'x')}), "has 20000 bytes"},
      {"long token in a trie", tokenizer("t5", {"a", "b", std::string(2'000, 'x')}), "has 2000 bytes, and at most 1024"},
      {"scores", [](GgufFile& file) { file.set_array("tokenizer.ggml.scores", f32, {bytes_of(0.0F)}); }, "has 1 entries for 3 tokens"},
      {"score that is no number",
       [](GgufFile& file) { file.set_array("tokenizer.ggml.scores", f32, std::vector<std::string>(3, bytes_of(std::nanf("")))); },
       "not a number"},
      {"types", [](GgufFile& file) { file.set_array("tokenizer.ggml.token_type", i32, {bytes_of(1)}); }, "has 1 entries for 3 tokens"},
      {"types that are floats",
       [](GgufFile& file) { file.set_array("tokenizer.ggml.token_type", f32, std::vector<std::string>(3, bytes_of(1.0F))); },
       "has the type f32 array"},
      {"merges", [](GgufFile& file) { file.set_array("tokenizer.ggml.merges", u32, {bytes_of(1)}); },
       "\"tokenizer.ggml.merges\" has the type u32 array"},
      {"end of text", [](GgufFile& file) { file.set_u32("tokenizer.ggml.eos_token_id", 3); },
       "\"tokenizer.ggml.eos_token_id\" is 3, and there are 3 tokens"},
      {"beginning of text", [](GgufFile& file) { file.set_u32("tokenizer.ggml.bos_token_id", 4'000'000'000); },
       "\"tokenizer.ggml.bos_token_id\" is 4000000000"},
      {"end that is a string", [](GgufFile& file) { file.set_text("tokenizer.ggml.eos_token_id", "c"); },
       "has the type string and must have u32"},
      {"byte without a number", byte_type("llama"), "is of the type for bytes and has no number"},
      {"byte in BERT", byte_type("bert"), "which BERT's tokenizer does not have"},
      {"RWKV that loops", tokenizer("rwkv", {"ab", "b", "c"}), "tokens begin with byte 97, which is no token itself"},
      {"RWKV that loops at an escape", tokenizer("rwkv", {"\\x0a\\x41", "\\n", "\\x80b"}), "tokens begin with byte 128"},
      {"way to split that leaves spaces", [](GgufFile& file) { file.set_text("tokenizer.ggml.pre", "whitespace"); },
       "does not go with the tokenizer \"gpt2\""},
      {"charsmap without a length", charsmap(3, 0), "precompiled_charsmap\" has 3 bytes"},
      {"charsmap that ends early", charsmap(40, 36), "says that its table alone has 36"},
  });
}

TEST("the validator leaves to llama.cpp what llama.cpp mends or reports") {
  const std::vector<std::function<void(GgufFile&)>> changes = {
      [](GgufFile& file) { file.set_u32("tokenizer.ggml.padding_token_id", 32'000); },
      [](GgufFile& file) { file.set_u32("tokenizer.ggml.bos_token_id", 0xFFFFFFFF); },
      [](GgufFile& file) { file.set_array("tokenizer.ggml.tokens", string, {"a", "", std::string("\0", 1)}); },
      [](GgufFile& file) { file.set_text("tokenizer.ggml.model", "none"); },
      [](GgufFile& file) {
        file.set_text("tokenizer.ggml.model", "rwkv"), file.set_array("tokenizer.ggml.tokens", string, {"\\n", "a", "ab"});
      },
      [](GgufFile& file) { file.set_array("llama.attention.head_count_kv", u32, {bytes_of(0), bytes_of(4)}); },
      [](GgufFile& file) {
        file.set_text("general.architecture", "stablelm"), file.set_u32("stablelm.embedding_length", 32),
            file.set_u32("stablelm.attention.head_count", 4), file.set_u32("stablelm.rope.dimension_count", 4);
      },
      [](GgufFile& file) { file.version = 2; },
      // llama.cpp itself saves every key that there is.
      [](GgufFile& file) {
        for (const char* key : {"ssm.conv_kernel", "ssm.inner_size", "ssm.state_size", "wkv.head_size", "full_attention_interval",
                                "experts_per_group", "pooling_type"})
          file.set_u32(std::string("llama.") + key, 0);
        file.set_f32("llama.kda.gate_lower_bound", -INFINITY);
      },
      [](GgufFile& file) { file.set_u32("llama.pooling_type", 0xFFFFFFFF); },
      [](GgufFile& file) { file.tensors.clear(); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    GgufFile file = sound();
    changes[i](file);
    CHECK_EQUAL(std::to_string(i) + verdict(file.write()), std::to_string(i));
  }
}

TEST("a model in parts is checked part by part") {
  const auto folder = new_folder();
  const auto part = [&](int number) { return (folder / ("m-0000" + std::to_string(number) + "-of-00002.gguf")).string(); };
  const auto said = [&] {
    try {
      validate_gguf(part(1));
      return std::string();
    } catch (const Failure& failure) {
      return std::string(failure.what());
    }
  };
  GgufFile first = sound();
  first.set("split.count", 2, bytes_of<std::uint16_t>(2));
  first.set("split.no", 2, bytes_of<std::uint16_t>(0));
  std::ofstream(part(1), std::ios::binary) << first.write();
  CHECK(said().find("a part of the model is missing, \"" + part(2)) == 0);

  GgufFile second;
  second.set("split.no", 4, bytes_of<std::uint32_t>(1));
  std::ofstream(part(2), std::ios::binary) << second.write();
  CHECK(said().find("\"split.no\" is missing or has not the type u16") != std::string::npos);

  second.set("split.no", 2, bytes_of<std::uint16_t>(1));
  std::ofstream(part(2), std::ios::binary) << second.write();
  CHECK_EQUAL(said(), "");
  second.tensors.push_back({"t", {0}, 0, {}});
  std::ofstream(part(2), std::ios::binary) << second.write();
  CHECK(said().find(part(2) + "\" is damaged") != std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST("a model in parts is to be named by its first part, under the parts' own names") {
  const auto folder = new_folder();
  const auto write = [&](const std::string& name, std::uint16_t number) {
    GgufFile part = number == 0 ? sound() : GgufFile{};
    part.set("split.count", 2, bytes_of<std::uint16_t>(3));
    part.set("split.no", 2, bytes_of<std::uint16_t>(number));
    std::ofstream((folder / name).string(), std::ios::binary) << part.write();
  };
  const auto said = [&](const std::string& name) {
    try {
      validate_gguf((folder / name).string());
      return std::string();
    } catch (const Failure& failure) {
      const std::string text = std::string(failure_code(failure.kind())) + " " + failure.what();
      return text;
    }
  };
  const std::string at = "ERR_MODEL_UNREADABLE \"" + folder.string() + "/";
  write("m-00001-of-00003.gguf", 0);
  write("m-00002-of-00003.gguf", 1);
  write("m-00003-of-00003.gguf", 2);
  CHECK_EQUAL(said("m-00001-of-00003.gguf"), "");
  const std::string first_part = folder.string() + "/m-00001-of-00003.gguf";
  CHECK_EQUAL(said("m-00002-of-00003.gguf"), at + "m-00002-of-00003.gguf\" is part 2 of 3 of a model: name part 1, \"" + first_part + "\"");
  write("second.gguf", 1);
  CHECK_EQUAL(said("second.gguf"), at + "second.gguf\" is part 2 of 3 of a model: name part 1, \"…-00001-of-00003.gguf\"");
  for (const std::string name : {"model.gguf", "0a1b2c3d4e5f"}) {
    write(name, 0);
    CHECK(said(name).find(at + name + "\" is part 1 of 3 of a model, and the others are found by its name, which must end in ") == 0);
    CHECK(said(name).find("\"-00001-of-00003.gguf\": give all parts their names back") != std::string::npos);
    CHECK(said(name).find("\"snapshots\"") != std::string::npos);
  }
  write("m-00003-of-00003.gguf", 1);
  const std::string swapped = "m-00003-of-00003.gguf\" says that it is part 2 of 3 of a model, and by its name it is part 3 of 3: ";
  CHECK_EQUAL(said("m-00001-of-00003.gguf"), at + swapped + "give all parts their names back");
  std::filesystem::remove_all(folder);
}

TEST("a file that is no model is called what it is, with what to do") {
  const auto expect = [](const std::string& bytes, const std::string& said) {
    const std::string got = verdict(bytes);
    if (!got.starts_with("ERR_MODEL_INVALID \"x.gguf\" ") || got.find(said) == std::string::npos) CHECK_EQUAL(got, said);
    // Converting helps only with what is a model.
    if (said.find("convert") == std::string::npos) CHECK(got.find("convert") == std::string::npos);
  };
  expect("", "is empty: download it again");
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4661216384\n";
  expect(pointer, "is a Git LFS pointer, which only names the model: fetch the model itself with \"git lfs pull\"");
  const std::string denied = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>";
  const std::vector<std::string> pages = {"<!DOCTYPE html>\n<html>", "\n\n  <HTML lang=en>", "\xEF\xBB\xBF<!doctype html>", denied};
  for (const std::string& page : pages) {
    expect(page, "is a web page and not the model: download it again");
  }
  expect("{\"error\":\"Invalid username or password.\"}", "is a server's error message and not the model: download it again");
  expect(std::string(100'000, '\0'), "its download was broken off; download it again");
  for (const std::string begun : {"G", "GG", "GGU", "GGUF"}) expect(begun, "is damaged or cut short: download it again");
  expect("GGUF\x03", "is damaged or cut short: download it again");
  expect("\x1F\x8B\x08 gzip", "is a compressed file: unpack it first");
  const std::string safetensors = bytes_of<std::uint64_t>(1234) + "{\"__metadata__\":{\"format\":\"pt\"}";
  expect(safetensors, "is not a GGUF file but one of safetensors: convert the model");
  expect("PK\x03\x04 of PyTorch", "is not a GGUF file: download the model as a GGUF file, or convert the model");
  expect("This is no model.\n", "is not a GGUF file: download the model as a GGUF file, or convert the model");
}

TEST("what the validator accepts of mutants of every file, ggml accepts too") {
  capture_log();
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (const auto& path : all_files()) {
    // Files of more than a few megabytes would only take longer.
    if (std::filesystem::file_size(path) > 3'000'000) continue;
    const std::string original = collections::read(path);
    const GgufFile file = GgufFile::parse(original);
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      const Mutant mutant = mutate(file, original, seed);
      if (!verdict(mutant.bytes).empty()) {
        ++refused;
        continue;
      }
      ++accepted;
      if (!ggml_accepts(mutant.bytes)) CHECK_EQUAL(path.stem().string() + " " + std::to_string(seed) + ": " + mutant.story, take_log());
    }
  }
  // Both kinds have to be there, or the comparison says nothing.
  CHECK(accepted > 30);
  CHECK(refused > 30);
}

TEST("mutants of a small header: the validator never crashes, and ggml accepts what it accepts") {
  capture_log();
  const GgufFile file = sound();
  const std::string original = file.write();
  std::size_t accepted = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    const Mutant mutant = mutate(file, original, seed);
    if (!verdict(mutant.bytes).empty()) continue;
    ++accepted;
    if (!ggml_accepts(mutant.bytes)) CHECK_EQUAL(std::to_string(seed) + ": " + mutant.story, take_log());
  }
  CHECK(accepted > 300);
}
