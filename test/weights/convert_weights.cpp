// Writes a copy of a GGUF model whose weights are of another type. With 32-bit floats they are exactly the values that the quantised ones
// stand for: what then still differs between the two is how a kernel computes with quantised weights. Other types are for measuring what
// those kernels take.

#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "../tools/command_line.h"
#include "../tools/owned.h"

namespace {

constexpr const char* usage = "usage: convert_weights --model FILE --out FILE [--type f32|f16|q8_0|…]\n";
constexpr std::uint32_t all_f32 = 0;

ggml_type type_named(const std::string& name) {
  for (int i = 0; i < GGML_TYPE_COUNT; ++i) {
    const auto type = static_cast<ggml_type>(i);
    if (ggml_get_type_traits(type)->type_name != nullptr && name == ggml_type_name(type)) return type;
  }
  throw std::runtime_error("no type of weights is called " + name);
}

/// The type of a tensor's copy: vectors stay floats, and so do rows that are no multiple of a block.
ggml_type type_of_copy(const ggml_tensor* tensor, ggml_type wanted) {
  return ggml_n_dims(tensor) < 2 || tensor->ne[0] % ggml_blck_size(wanted) != 0 ? GGML_TYPE_F32 : wanted;
}

std::vector<char> as_type(const ggml_tensor* tensor, const std::vector<float>& values, ggml_type type) {
  const std::int64_t rows = ggml_nelements(tensor) / tensor->ne[0];
  std::vector<char> bytes(ggml_row_size(type, tensor->ne[0]) * static_cast<std::size_t>(rows));
  ggml_quantize_chunk(type, values.data(), bytes.data(), 0, rows, tensor->ne[0], nullptr);
  return bytes;
}

std::vector<float> as_floats(const ggml_tensor* tensor, const std::vector<char>& bytes) {
  std::vector<float> values(static_cast<std::size_t>(ggml_nelements(tensor)));
  if (tensor->type == GGML_TYPE_F32) {
    const auto* floats = reinterpret_cast<const float*>(bytes.data());
    return {floats, floats + values.size()};
  }
  const auto convert = ggml_get_type_traits(tensor->type)->to_float;
  if (convert == nullptr) throw std::runtime_error(std::string("no floats can be made of ") + ggml_type_name(tensor->type));
  convert(bytes.data(), values.data(), ggml_nelements(tensor));
  return values;
}

void convert(const CommandLine& options) {
  const std::string& path = options.text("model");
  ggml_context* shapes = nullptr;
  const OwnedHeader model(gguf_init_from_file(path.c_str(), {/*no_alloc=*/true, &shapes}));
  const OwnedTensors tensors(shapes);
  if (!model || !tensors) throw std::runtime_error("cannot read " + path);

  const ggml_type type = type_named(options.text("type"));
  const OwnedHeader copy(gguf_init_empty());
  gguf_set_kv(copy.get(), model.get());
  gguf_set_val_u32(copy.get(), "general.file_type", all_f32);
  const std::int64_t count = gguf_get_n_tensors(model.get());
  for (std::int64_t i = 0; i < count; ++i) {
    const char* name = gguf_get_tensor_name(model.get(), i);
    gguf_add_tensor(copy.get(), ggml_get_tensor(tensors.get(), name));
    gguf_set_tensor_type(copy.get(), name, type_of_copy(ggml_get_tensor(tensors.get(), name), type));
  }
  const std::string& out = options.text("out");
  if (!gguf_write_to_file(copy.get(), out.c_str(), /*only_meta=*/true)) throw std::runtime_error("cannot write " + out);

  // One tensor at a time: a gigabyte of floats need not be in memory at once.
  std::ifstream source(path, std::ios::binary);
  std::ofstream target(out, std::ios::binary | std::ios::app);
  const std::size_t alignment = gguf_get_alignment(copy.get());
  for (std::int64_t i = 0; i < count; ++i) {
    const ggml_tensor* tensor = ggml_get_tensor(tensors.get(), gguf_get_tensor_name(model.get(), i));
    std::vector<char> bytes(gguf_get_tensor_size(model.get(), i));
    source.seekg(static_cast<std::streamoff>(gguf_get_data_offset(model.get()) + gguf_get_tensor_offset(model.get(), i)));
    source.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const std::vector<char> copied = as_type(tensor, as_floats(tensor, bytes), type_of_copy(tensor, type));
    const std::size_t size = copied.size();
    target.write(copied.data(), static_cast<std::streamsize>(size));
    const std::string padding((alignment - size % alignment) % alignment, '\0');
    target.write(padding.data(), static_cast<std::streamsize>(padding.size()));
  }
  if (!source) throw std::runtime_error("cannot read " + path);
  if (!target.flush()) throw std::runtime_error("cannot write " + out);
}

}  // namespace

int main(int count, char** words) {
  try {
    convert({count, words, usage, {{"type", "f32"}}, {"model", "out"}});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
