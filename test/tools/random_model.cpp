// Writes a tiny model with random weights around the tokenizer of a vocabulary-only GGUF file. It says nothing sensible, in every script that its
// vocabulary knows: what an engine finds hardest.

#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "architectures.h"
#include "ggml.h"
#include "gguf.h"
#include "vocabulary.h"

namespace {

constexpr const char* usage =
    "usage: random_model --vocab FILE --arch llama|gemma2|gemma3|mamba|jamba|rwkv7 --out FILE\n"
    "                    [--seed 1] [--embd 32] [--layers 2] [--context 1024] [--eos-bias 1.6]\n";

using Options = std::map<std::string, std::string, std::less<>>;

Options parse(int count, char** words) {
  Options options = {{"seed", "1"}, {"embd", "32"}, {"layers", "2"}, {"context", "1024"}, {"eos-bias", "1.6"}};
  for (int i = 1; i < count; i += 2) {
    const std::string_view name = words[i];
    if (!name.starts_with("--") || i + 1 == count) throw std::invalid_argument(usage);
    options[std::string(name.substr(2))] = words[i + 1];
  }
  for (const char* name : {"vocab", "arch", "out"}) {
    if (!options.contains(name)) throw std::invalid_argument(usage);
  }
  return options;
}

std::uint32_t number(const Options& options, std::string_view name) {
  const std::string& text = options.find(name)->second;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw std::invalid_argument(usage);
  return value;
}

/// SplitMix64. The standard library's distributions differ from one platform to the next.
class Random {
 public:
  /// Each tensor has a sequence of its own, so that adding one leaves the others as they were.
  Random(std::uint64_t seed, std::string_view name) : state_(seed) {
    for (const char c : name) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001B3U + next();
  }

  /// Between -1 and 1.
  float operator()() { return static_cast<float>(static_cast<double>(next() >> 40) / (1 << 23) - 1.0); }

 private:
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

void set(gguf_context* model, const std::string& name, const Setting& setting) {
  const char* key = name.c_str();
  if (const auto* number = std::get_if<std::uint32_t>(&setting)) gguf_set_val_u32(model, key, *number);
  if (const auto* fraction = std::get_if<float>(&setting)) gguf_set_val_f32(model, key, *fraction);
  if (const auto* flag = std::get_if<bool>(&setting)) gguf_set_val_bool(model, key, *flag);
  if (const auto* list = std::get_if<std::vector<std::uint32_t>>(&setting)) gguf_set_arr_data(model, key, GGUF_TYPE_UINT32, list->data(), list->size());
}

struct FreeTensors {
  void operator()(ggml_context* context) const { ggml_free(context); }
};
struct FreeFile {
  void operator()(gguf_context* context) const { gguf_free(context); }
};

void write(const Options& options) {
  const VocabularyFile vocabulary(options.find("vocab")->second);
  const std::string& architecture = options.find("arch")->second;
  const Blueprint plan = blueprint(architecture, {vocabulary.size(), number(options, "embd"), number(options, "layers"), number(options, "context")});

  std::size_t bytes = 0;
  for (const Tensor& tensor : plan.tensors) {
    std::size_t size = sizeof(float);
    for (const std::int64_t length : tensor.shape) size *= static_cast<std::size_t>(length);
    bytes += size + ggml_tensor_overhead() + 64;
  }
  const std::unique_ptr<ggml_context, FreeTensors> memory(ggml_init({bytes, nullptr, false}));
  const std::unique_ptr<gguf_context, FreeFile> model(gguf_init_empty());
  if (!memory || !model) throw std::bad_alloc();

  gguf_set_val_str(model.get(), "general.architecture", architecture.c_str());
  gguf_set_val_str(model.get(), "general.name", "random weights");
  for (const auto& [key, setting] : plan.settings) set(model.get(), architecture + "." + key, setting);
  vocabulary.copy_to(model.get());

  for (const Tensor& tensor : plan.tensors) {
    ggml_tensor* made = ggml_new_tensor(memory.get(), GGML_TYPE_F32, static_cast<int>(tensor.shape.size()), tensor.shape.data());
    ggml_set_name(made, tensor.name.c_str());
    Random random(number(options, "seed"), tensor.name);
    float* values = ggml_get_data_f32(made);
    for (std::int64_t i = 0; i < ggml_nelements(made); ++i) values[i] = tensor.center + tensor.spread * random();
    if (tensor.name == plan.output) {
      const std::vector<float> factors = vocabulary.emphasis(std::stof(options.find("eos-bias")->second));
      for (std::int64_t i = 0; i < ggml_nelements(made); ++i) values[i] *= factors[static_cast<std::size_t>(i / made->ne[0])];
    }
    gguf_add_tensor(model.get(), made);
  }
  const std::string& out = options.find("out")->second;
  if (!gguf_write_to_file(model.get(), out.c_str(), false)) throw std::runtime_error("cannot write " + out);
}

}  // namespace

int main(int count, char** words) {
  try {
    write(parse(count, words));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
