#pragma once

#include <array>
#include <string_view>

/// What the code of llama.cpp's text generators (src/models) takes for granted about attention heads, by architecture; found by searching for its assertions.
namespace nudging::architectures {

/// They assert that keys are as long as values.
constexpr std::array<std::string_view, 85> one_head_length = {
    "afmoe", "apertus", "arcee", "arctic", "baichuan", "bailingmoe2", "bitnet", "bloom", "chameleon", "chatglm", "codeshell", "cogvlm", "cohere2",
    "cohere2moe", "command-r", "dbrx", "deci", "deepseek", "dots1", "ernie4_5", "ernie4_5-moe", "exaone", "falcon", "glm4", "glm4moe", "gpt2",
    "gptneox", "granite", "granite_swa", "granitehybrid", "graniteswitch", "grok", "grovemoe", "hunyuan-moe", "hunyuan_vl", "hy_v3", "internlm2",
    "jais", "jais2", "laguna", "llama", "llama4", "maincoder", "mellum", "minimax-01", "minimax-m2", "minimax-m3", "mistral3", "mpt", "muse-glimmer",
    "nanbeige", "nemotron", "nemotron_h", "nemotron_h_moe", "olmo", "olmo2", "olmoe", "openelm", "orion", "paddleocr", "pangu-embedded", "phi2",
    "phi3", "plamo", "qwen", "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen35", "qwen35moe", "qwen3moe", "qwen3next", "qwen3vl", "qwen3vlmoe",
    "qwen4exp", "refact", "seed_oss", "smallthinker", "smollm3", "spark2_5", "stablelm", "starcoder", "starcoder2", "xverse"};

/// They assert that the whole head is rotated.
constexpr std::array<std::string_view, 53> whole_rotation = {
    "apertus", "arcee", "arctic", "baichuan", "chameleon", "codeshell", "cogvlm", "cohere2moe", "dbrx", "deci", "deepseek", "dots1", "ernie4_5",
    "ernie4_5-moe", "exaone", "exaone-moe", "exaone4", "falcon", "granite", "granite_swa", "graniteswitch", "grok", "grovemoe", "hunyuan-moe",
    "hunyuan_vl", "hy_v3", "internlm2", "jais2", "llama", "llama4", "maincoder", "mellum", "mistral3", "olmo", "olmo2", "olmoe", "orion", "paddleocr",
    "pangu-embedded", "plamo", "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen3moe", "qwen3vl", "qwen3vlmoe", "seed_oss", "smallthinker", "smollm3",
    "starcoder2", "talkie", "xverse"};

/// Their queries are as wide as the model, however long their heads are.
constexpr std::array<std::string_view, 28> heads_fill_width = {
    "arctic", "baichuan", "chameleon", "codeshell", "cohere2", "command-r", "deepseek", "deepseek2-ocr", "grok", "internlm2", "jamba", "lfm2",
    "lfm2moe", "nemotron", "olmo", "olmo2", "olmoe", "orion", "phi2", "phi3", "phimoe", "plamo", "qwen2", "qwen2moe", "qwen2vl", "stablelm",
    "starcoder2", "xverse"};

/// They read the sizes of a state space, and of the convolution in front of it, and divide by them.
constexpr std::array<std::string_view, 12> state_spaces = {"falcon-h1", "granitehybrid", "jamba", "mamba", "mamba2", "nemotron_h", "nemotron_h_moe", "plamo2", "qwen35", "qwen35moe", "qwen3next", "qwen4exp"};
constexpr std::array<std::string_view, 15> convolutions = {"bailingmoe3", "falcon-h1", "granitehybrid",  "jamba",  "kimi-k3", "kimi-linear", "mamba",    "mamba2",
                                                           "nemotron_h",  "nemotron_h_moe", "plamo2", "qwen35", "qwen35moe", "qwen3next",   "qwen4exp"};
constexpr std::array<std::string_view, 4> rwkv = {"arwkv7", "rwkv6", "rwkv6qwen2", "rwkv7"};
/// Sizes that only they read.
constexpr std::array<std::string_view, 5> mixed_attention = {"minimax-01", "qwen35", "qwen35moe", "qwen3next", "qwen4exp"};
constexpr std::array<std::string_view, 1> grouped_experts = {"grovemoe"};
constexpr std::array<std::string_view, 1> grouped_outputs = {"deepseek4"};
constexpr std::array<std::string_view, 1> indexed_blocks = {"minimax-m3"};
constexpr std::array<std::string_view, 1> stacks = {"hrm_text"};
constexpr std::array<std::string_view, 1> loops = {"nanbeige"};

}  // namespace nudging::architectures
