// Writes a tiny model with random weights around the tokenizer of a vocabulary-only GGUF file. It says nothing sensible, in every script
// that its vocabulary knows: what an engine finds hardest.

#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>

#include "architectures.h"
#include "command_line.h"
#include "owned.h"
#include "random.h"
#include "vocabulary.h"

namespace {

constexpr const char* usage =
    "usage: random_model --vocab FILE --arch llama|gemma2|gemma3|mamba|jamba|rwkv7 --out FILE\n"
    "                    [--seed 1] [--embd 32] [--layers 2] [--context 1024] [--eos-bias 1.6]\n";

void set(gguf_context* model, const std::string& name, const Setting& setting) {
  const char* key = name.c_str();
  if (const auto* number = std::get_if<std::uint32_t>(&setting)) gguf_set_val_u32(model, key, *number);
  if (const auto* fraction = std::get_if<float>(&setting)) gguf_set_val_f32(model, key, *fraction);
  if (const auto* flag = std::get_if<bool>(&setting)) gguf_set_val_bool(model, key, *flag);
  if (const auto* list = std::get_if<std::vector<std::uint32_t>>(&setting))
    gguf_set_arr_data(model, key, GGUF_TYPE_UINT32, list->data(), list->size());
}

void write(const CommandLine& options) {
  const VocabularyFile vocabulary(options.text("vocab"));
  const std::string& architecture = options.text("arch");
  const Blueprint plan =
      blueprint(architecture, {vocabulary.size(), options.number("embd"), options.number("layers"), options.number("context")});

  std::size_t bytes = 0;
  for (const Tensor& tensor : plan.tensors) {
    std::size_t size = sizeof(float);
    for (const std::int64_t length : tensor.shape) size *= static_cast<std::size_t>(length);
    bytes += size + ggml_tensor_overhead() + 64;
  }
  const OwnedTensors memory(ggml_init({bytes, nullptr, false}));
  const OwnedHeader model(gguf_init_empty());
  if (!memory || !model) throw std::bad_alloc();

  gguf_set_val_str(model.get(), "general.architecture", architecture.c_str());
  gguf_set_val_str(model.get(), "general.name", "random weights");
  for (const auto& [key, setting] : plan.settings) set(model.get(), architecture + "." + key, setting);
  vocabulary.copy_to(model.get());

  for (const Tensor& tensor : plan.tensors) {
    ggml_tensor* made = ggml_new_tensor(memory.get(), GGML_TYPE_F32, static_cast<int>(tensor.shape.size()), tensor.shape.data());
    ggml_set_name(made, tensor.name.c_str());
    Random random(options.number("seed"), tensor.name);
    float* values = ggml_get_data_f32(made);
    for (std::int64_t i = 0; i < ggml_nelements(made); ++i) values[i] = tensor.center + tensor.spread * random();
    if (tensor.name == plan.output) {
      const std::vector<float> factors = vocabulary.emphasis(std::stof(options.text("eos-bias")));
      for (std::int64_t i = 0; i < ggml_nelements(made); ++i) values[i] *= factors[static_cast<std::size_t>(i / made->ne[0])];
    }
    gguf_add_tensor(model.get(), made);
  }
  const std::string& out = options.text("out");
  if (!gguf_write_to_file(model.get(), out.c_str(), false)) throw std::runtime_error("cannot write " + out);
}

}  // namespace

int main(int count, char** words) {
  try {
    write({count,
           words,
           usage,
           {{"seed", "1"}, {"embd", "32"}, {"layers", "2"}, {"context", "1024"}, {"eos-bias", "1.6"}},
           {"vocab", "arch", "out"}});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
