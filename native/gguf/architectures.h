#pragma once

#include <array>
#include <string_view>

/// What the code of llama.cpp's text generators (src/models) takes for granted about attention heads, by architecture; found by searching
/// for its assertions.
namespace nudging::architectures {

/// Values may be longer or shorter than keys only here: other code asserts that they are not, or takes it for granted.
constexpr std::array<std::string_view, 15> two_head_lengths = {"bailingmoe3", "deepseek2", "deepseek32", "dots3note",   "gemma4",
                                                               "glm-dsa",     "hy_v4",     "kimi-k3",    "kimi-linear", "mimo2",
                                                               "minicpm3",    "mistral4",  "plamo2",     "plm",         "step35"};
/// Heads may be longer or shorter in layers with a sliding window only here.
constexpr std::array<std::string_view, 4> own_window_heads = {"dots3note", "gemma4", "mimo2", "step35"};

/// They assert that the whole head is rotated.
constexpr std::array<std::string_view, 57> whole_rotation = {
    "apertus",        "arcee",       "arctic",     "baichuan", "bailingmoe",   "chameleon",     "codeshell",    "cogvlm",
    "cohere2moe",     "dbrx",        "deci",       "deepseek", "dots1",        "ernie4_5",      "ernie4_5-moe", "exaone",
    "exaone-moe",     "exaone4",     "falcon",     "granite",  "granite_swa",  "graniteswitch", "grok",         "grovemoe",
    "hunyuan-dense",  "hunyuan-moe", "hunyuan_vl", "hy_v3",    "internlm2",    "jais2",         "llama",        "llama4",
    "maincoder",      "mellum",      "mistral3",   "olmo",     "olmo2",        "olmoe",         "orion",        "paddleocr",
    "pangu-embedded", "plamo",       "pockettts",  "qwen2",    "qwen2moe",     "qwen2vl",       "qwen3",        "qwen3moe",
    "qwen3tts",       "qwen3vl",     "qwen3vlmoe", "seed_oss", "smallthinker", "smollm3",       "starcoder2",   "talkie",
    "xverse"};

/// Their queries are as wide as the model, however long their heads are.
constexpr std::array<std::string_view, 38> heads_fill_width = {
    "arctic",   "baichuan", "bloom",    "chameleon", "codeshell", "cohere2",   "command-r",  "dbrx",   "deepseek", "deepseek2-ocr",
    "falcon",   "gpt2",     "gptneox",  "grok",      "internlm2", "jais",      "jamba",      "lfm2",   "lfm2moe",  "mpt",
    "nemotron", "olmo",     "olmo2",    "olmoe",     "orion",     "phi2",      "phi3",       "phimoe", "plamo",    "pockettts",
    "qwen",     "qwen2",    "qwen2moe", "qwen2vl",   "stablelm",  "starcoder", "starcoder2", "xverse"};

/// They read the sizes of a state space, and of the convolution in front of it, and divide by them.
constexpr std::array<std::string_view, 12> state_spaces = {"falcon-h1", "granitehybrid", "jamba",          "mamba",
                                                           "mamba2",    "nemotron_h",    "nemotron_h_moe", "plamo2",
                                                           "qwen35",    "qwen35moe",     "qwen3next",      "qwen4exp"};
constexpr std::array<std::string_view, 15> convolutions = {"bailingmoe3", "falcon-h1", "granitehybrid", "jamba",      "kimi-k3",
                                                           "kimi-linear", "mamba",     "mamba2",        "nemotron_h", "nemotron_h_moe",
                                                           "plamo2",      "qwen35",    "qwen35moe",     "qwen3next",  "qwen4exp"};
/// Their state's values are as long as its keys.
constexpr std::array<std::string_view, 4> square_states = {"qwen35", "qwen35moe", "qwen3next", "qwen4exp"};
constexpr std::array<std::string_view, 4> rwkv = {"arwkv7", "rwkv6", "rwkv6qwen2", "rwkv7"};
/// Sizes that only they read.
constexpr std::array<std::string_view, 5> mixed_attention = {"minimax-01", "qwen35", "qwen35moe", "qwen3next", "qwen4exp"};
constexpr std::array<std::string_view, 1> grouped_experts = {"grovemoe"};
constexpr std::array<std::string_view, 1> grouped_outputs = {"deepseek4"};
constexpr std::array<std::string_view, 1> indexed_blocks = {"minimax-m3"};
constexpr std::array<std::string_view, 1> stacks = {"hrm_text"};
constexpr std::array<std::string_view, 1> loops = {"nanbeige"};
constexpr std::array<std::string_view, 1> interleaved = {"ernie4_5-moe"};
constexpr std::array<std::string_view, 1> hyper_connected = {"deepseek4"};
constexpr std::array<std::string_view, 1> always_latent = {"hy_v4"};
/// They build their graph for layers with a sliding window, whether there are any or not.
constexpr std::array<std::string_view, 2> windows = {"afmoe", "llama4"};
/// All query heads share one key head.
constexpr std::array<std::string_view, 1> single_head = {"deepseek4"};
/// Every query head has a key head of its own.
constexpr std::array<std::string_view, 2> unshared_heads = {"dots1", "minicpm3"};

/// They have no attention at all.
constexpr std::array<std::string_view, 6> without_attention = {"arwkv7", "mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7"};
/// Attention over a compressed cache: its keys are the latent vector and what is rotated, side by side.
constexpr std::array<std::string_view, 9> latent_attention = {"bailingmoe3", "deepseek2", "deepseek32",  "dots3note", "glm-dsa",
                                                              "hy_v4",       "kimi-k3",   "kimi-linear", "mistral4"};
/// They abort if the file does not say how experts are chosen.
constexpr std::array<std::string_view, 13> need_gating = {"bailingmoe2", "bailingmoe3", "deepseek32",  "dots1",       "dots3note",
                                                          "exaone-moe",  "hy_v4",       "kimi-k3",     "kimi-linear", "lfm2moe",
                                                          "minimax-m2",  "minimax-m3",  "smallthinker"};

/// Layers may share the choice of an indexer with the one before them, which the first layer does not have.
constexpr std::array<std::string_view, 3> shared_indexers = {"dots3note", "glm-dsa", "hy_v4"};

/// Tensors that are used without a look where the first one, by the ends of their names, is there.
struct Companions {
  std::string_view architecture;
  std::string_view tensor;
  std::string_view companion;
  /// May stand for it.
  std::string_view alternative = {};
};
constexpr std::array companions = {
    Companions{"falcon-h1", ".ssm_conv1d.weight", ".ssm_conv1d.bias"},
    Companions{"granitehybrid", ".ssm_conv1d.weight", ".ssm_conv1d.bias"},
    Companions{"nemotron_h", ".ssm_conv1d.weight", ".ssm_conv1d.bias"},
    Companions{"nemotron_h_moe", ".ssm_conv1d.weight", ".ssm_conv1d.bias"},
    Companions{"hy_v3", ".ffn_down_exps.weight", ".ffn_gate_up_exps.weight", ".ffn_gate_exps.weight"},
    Companions{"glm-dsa", ".indexer.k_norm.weight", ".indexer.proj.weight"},
    Companions{"glm-dsa", ".indexer.k_norm.weight", ".indexer.attn_k.weight"},
    Companions{"glm-dsa", ".indexer.k_norm.weight", ".indexer.attn_q_b.weight"},
};

}  // namespace nudging::architectures
