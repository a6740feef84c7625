// Makes a trained small Llama model big without changing what it says, so that speed can be measured at realistic sizes with real
// probabilities:
//
// - New channels of the residual stream are zero: nothing writes to them. RMSNorm over the wider stream sees a smaller mean square, so norm
//   weights and epsilon are rescaled.
// - New attention heads, feed-forward units and layers compute with random weights, and what they compute is multiplied by zero.
//
// Quantising would change what the model says. A big model has room for several copies of the small one that hold the same values while it
// runs, so each matrix is the sum of several quantised ones: the first is the original rounded, the next is what rounding has left over,
// and so on.

#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../../test/tools/command_line.h"
#include "../../test/tools/owned.h"
#include "../../test/tools/random.h"
#include "shape.h"
#include "small_model.h"

namespace {

constexpr const char* usage =
    "usage: inflate --model FILE --out FILE --embd D --layers N --ffn F --type f32|f16|q8_0|q4_0\n"
    "               [--heads D/size] [--kv-heads in proportion] [--seed 1]\n"
    "               [--copies N]   sum of N quantised matrices; as many as are of use and fit: f32, f16 1, q8_0 2, q4_0 4\n"
    "               [--rotate 0]   token t gets the logit of token t + N: a model that never says what the original would\n";

struct Type {
  const char* name;
  ggml_type type;
  /// llama.cpp's number for files of this type.
  std::uint32_t file_type;
  /// With so many terms a matrix is more exact than F16, the type of the models that are inflated here.
  std::uint32_t terms;
};
constexpr std::array<Type, 4> types = {
    {{"f32", GGML_TYPE_F32, 0, 1}, {"f16", GGML_TYPE_F16, 1, 1}, {"q8_0", GGML_TYPE_Q8_0, 7, 2}, {"q4_0", GGML_TYPE_Q4_0, 2, 4}}};

struct Big {
  Sizes sizes;
  Type type;
  std::uint32_t copies;
  Shape shape;
  Axis vocabulary;
};

/// What a matrix has where the original has nothing. Zero where it writes to the stream; random where it reads zeros, or writes to what is
/// read by zeros.
enum class Elsewhere { zero, random };
/// Whether the copies that a matrix reads from get terms that add up, or each the whole.
enum class Copies { terms, whole };

struct Matrix {
  std::string name;
  ggml_type type;
  /// Null in new layers.
  const ggml_tensor* original;
  const Axis* columns;
  const Axis* rows;
  Elsewhere elsewhere;
  Copies copies;
};
struct Norm {
  std::string name;
  const ggml_tensor* original;
};

class File {
 public:
  explicit File(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "wb")) {
    if (!file_) throw std::runtime_error("cannot write " + path_);
  }
  void write_header(const gguf_context* header) {
    if (!gguf_write_to_file_ptr(header, file_.get(), true)) fail();
  }
  void write(const void* data, std::size_t bytes) {
    if (std::fwrite(data, 1, bytes, file_.get()) != bytes) fail();
    written_ += bytes;
  }
  void pad(std::size_t alignment) {
    const std::vector<char> zeros((alignment - written_ % alignment) % alignment);
    write(zeros.data(), zeros.size());
  }
  /// A full disk may show as late as here.
  void close() {
    if (std::fclose(file_.release()) != 0) fail();
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  [[noreturn]] void fail() { throw std::runtime_error("cannot write " + path_); }

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::size_t written_ = 0;
};

Type type_named(const std::string& name) {
  for (const Type& type : types) {
    if (type.name == name) return type;
  }
  throw std::invalid_argument(usage);
}

Big plan(const CommandLine& options, const Sizes& small, std::uint32_t vocabulary) {
  Big big;
  big.type = type_named(options.text("type"));
  big.sizes = {.embedding = options.number("embd"),
               .layers = options.number("layers"),
               .feed_forward = options.number("ffn"),
               .head_size = small.head_size};
  Sizes& sizes = big.sizes;
  sizes.heads = options.has("heads") ? options.number("heads") : sizes.embedding / small.head_size;
  sizes.kv_heads = options.has("kv-heads") ? options.number("kv-heads") : sizes.heads * small.kv_heads / small.heads;
  if (sizes.kv_heads == 0 || sizes.heads % sizes.kv_heads != 0) throw std::invalid_argument("heads must be a multiple of kv-heads");
  // Rows are cut into blocks, and the original's blocks must keep to themselves.
  const auto block = static_cast<std::uint32_t>(ggml_blck_size(big.type.type));
  for (const std::uint32_t length : {sizes.embedding, sizes.feed_forward, small.embedding, small.feed_forward, small.head_size}) {
    if (length % block != 0) throw std::invalid_argument("all sizes must be multiples of " + std::to_string(block));
  }
  const std::uint32_t wanted = options.has("copies") ? options.number("copies") : big.type.terms;
  big.copies = copies_that_fit(small, sizes, wanted);
  if (big.copies == 0 || (options.has("copies") && big.copies < wanted))
    throw std::invalid_argument("the model does not fit into this shape");
  big.shape = lay_out(small, sizes, big.copies);
  big.vocabulary = one_after_another(vocabulary, vocabulary, 1);
  const std::uint32_t rotation = options.number("rotate") % vocabulary;
  for (Place& token : big.vocabulary)
    token.from = static_cast<std::int32_t>((static_cast<std::uint32_t>(token.from) + rotation) % vocabulary);
  return big;
}

class Inflater {
 public:
  Inflater(const SmallModel& small, const Big& big, std::uint32_t seed)
      : small_(small), big_(big), seed_(seed), tokens_(one_after_another(small.vocabulary(), small.vocabulary(), 1)) {
    const Shape& shape = big.shape;
    const ggml_type type = big.type.type;
    // Looked up, not multiplied: its size costs no time, so it stays exact, and a matrix of its own makes the logits.
    const ggml_type exact = type == GGML_TYPE_F32 ? GGML_TYPE_F32 : GGML_TYPE_F16;
    matrices_.push_back(
        {"token_embd.weight", exact, small.tensor("token_embd.weight"), &shape.stream, &tokens_, Elsewhere::zero, Copies::whole});
    matrices_.push_back({"output.weight", type, small.tensor(small.is_tied() ? "token_embd.weight" : "output.weight"), &shape.stream,
                         &big.vocabulary, Elsewhere::random, Copies::terms});
    norms_.push_back({"output_norm.weight", small.tensor("output_norm.weight")});
    for (std::uint32_t layer = 0; layer < big.sizes.layers; ++layer) {
      const auto name = [&](const char* part) { return "blk." + std::to_string(layer) + "." + part + ".weight"; };
      const auto original = [&](const char* part) { return layer < small.sizes().layers ? small.tensor(name(part)) : nullptr; };
      const auto add = [&](const char* part, const Axis& columns, const Axis& rows, Elsewhere elsewhere) {
        matrices_.push_back({name(part), type, original(part), &columns, &rows, elsewhere, Copies::terms});
      };
      for (const char* part : {"attn_norm", "ffn_norm"}) norms_.push_back({name(part), original(part)});
      add("attn_q", shape.stream, shape.queries, Elsewhere::random);
      add("attn_k", shape.stream, shape.keys, Elsewhere::random);
      add("attn_v", shape.stream, shape.keys, Elsewhere::random);
      add("attn_output", shape.queries, shape.stream, Elsewhere::zero);
      add("ffn_gate", shape.stream, shape.feed_forward, Elsewhere::random);
      add("ffn_up", shape.stream, shape.feed_forward, Elsewhere::random);
      add("ffn_down", shape.feed_forward, shape.stream, Elsewhere::zero);
    }
  }

  void write(File& file) const {
    const OwnedHeader header = make_header();
    const std::size_t alignment = gguf_get_alignment(header.get());
    file.write_header(header.get());
    for (const Norm& norm : norms_) {
      write(file, norm);
      file.pad(alignment);
    }
    for (const Matrix& matrix : matrices_) {
      write(file, matrix);
      file.pad(alignment);
    }
  }

  std::uint64_t parameters() const {
    std::uint64_t sum = norms_.size() * big_.sizes.embedding;
    for (const Matrix& matrix : matrices_) sum += std::uint64_t{matrix.columns->size()} * matrix.rows->size();
    return sum;
  }

 private:
  /// Part of the channels over which RMSNorm takes its mean that are not new.
  double filled() const { return static_cast<double>(big_.copies) * small_.sizes().embedding / big_.sizes.embedding; }

  OwnedHeader make_header() const {
    OwnedHeader header(gguf_init_empty());
    const OwnedTensors tensors(ggml_init({(norms_.size() + matrices_.size() + 1) * ggml_tensor_overhead(), nullptr, true}));
    if (!header || !tensors) throw std::bad_alloc();
    gguf_set_kv(header.get(), small_.header());
    gguf_set_val_str(header.get(), "general.name", "inflated");
    gguf_remove_key(header.get(), "general.size_label");
    gguf_set_val_u32(header.get(), "general.file_type", big_.type.file_type);
    const auto set = [&](const char* key, std::uint32_t value) {
      gguf_set_val_u32(header.get(), (std::string("llama.") + key).c_str(), value);
    };
    set("embedding_length", big_.sizes.embedding);
    set("block_count", big_.sizes.layers);
    set("feed_forward_length", big_.sizes.feed_forward);
    set("attention.head_count", big_.sizes.heads);
    set("attention.head_count_kv", big_.sizes.kv_heads);
    set("attention.key_length", big_.sizes.head_size);
    set("attention.value_length", big_.sizes.head_size);
    set("rope.dimension_count", big_.sizes.head_size);
    gguf_set_val_f32(header.get(), "llama.attention.layer_norm_rms_epsilon", static_cast<float>(small_.epsilon() * filled()));

    const auto declare = [&](const std::string& name, ggml_tensor* tensor) {
      ggml_set_name(tensor, name.c_str());
      gguf_add_tensor(header.get(), tensor);
    };
    for (const Norm& norm : norms_) declare(norm.name, ggml_new_tensor_1d(tensors.get(), GGML_TYPE_F32, big_.sizes.embedding));
    for (const Matrix& matrix : matrices_)
      declare(matrix.name, ggml_new_tensor_2d(tensors.get(), matrix.type, static_cast<std::int64_t>(matrix.columns->size()),
                                              static_cast<std::int64_t>(matrix.rows->size())));
    return header;
  }

  void write(File& file, const Norm& norm) const {
    Random random(seed_, norm.name);
    std::vector<float> weights(big_.sizes.embedding);
    for (float& weight : weights) weight = 1 + 0.1F * random();
    if (norm.original != nullptr) {
      const std::vector<float> original = SmallModel::row(norm.original, 0);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const std::int32_t from = big_.shape.stream[i].from;
        if (from >= 0) weights[i] = static_cast<float>(original[static_cast<std::size_t>(from)] * std::sqrt(filled()));
      }
    }
    file.write(weights.data(), weights.size() * sizeof(float));
  }

  /// Row by row: an 8 B model need not fit into memory.
  void write(File& file, const Matrix& matrix) const {
    const auto length = static_cast<std::int64_t>(matrix.columns->size());
    // Variance 1 ÷ length, as in trained models: values stay near 1 from layer to layer.
    const float spread = std::sqrt(3.0F / static_cast<float>(length));
    Random random(seed_, matrix.name);
    std::vector<float> row(matrix.columns->size());
    std::vector<char> packed(ggml_row_size(matrix.type, length));
    for (const Place& place : *matrix.rows) {
      for (float& value : row) value = matrix.elsewhere == Elsewhere::random ? spread * random() : 0;
      if (matrix.original != nullptr && place.from >= 0) {
        const std::vector<std::vector<float>> copies = split(matrix, SmallModel::row(matrix.original, place.from));
        for (std::size_t i = 0; i < row.size(); ++i) {
          const Place& column = (*matrix.columns)[i];
          if (column.from >= 0) row[i] = copies[column.copy][static_cast<std::size_t>(column.from)];
        }
      }
      ggml_quantize_chunk(matrix.type, row.data(), packed.data(), 0, 1, length, nullptr);
      file.write(packed.data(), packed.size());
    }
  }

  /// What each copy of the columns gets of a row of the original.
  std::vector<std::vector<float>> split(const Matrix& matrix, std::vector<float> row) const {
    if (matrix.copies == Copies::whole) return std::vector(big_.copies, row);
    const auto length = static_cast<std::int64_t>(row.size());
    std::vector<char> packed(ggml_row_size(matrix.type, length));
    std::vector<std::vector<float>> terms(big_.copies, row);
    for (std::vector<float>& term : terms) {
      ggml_quantize_chunk(matrix.type, row.data(), packed.data(), 0, 1, length, nullptr);
      // These values are on the type's own grid: quantised again with the whole row, they stay what they are.
      SmallModel::unpack(matrix.type, packed.data(), term);
      for (std::size_t i = 0; i < row.size(); ++i) row[i] -= term[i];
    }
    return terms;
  }

  const SmallModel& small_;
  const Big& big_;
  std::uint32_t seed_;
  Axis tokens_;
  std::vector<Norm> norms_;
  std::vector<Matrix> matrices_;
};

void inflate(const CommandLine& options) {
  const SmallModel small(options.text("model"));
  const Big big = plan(options, small.sizes(), small.vocabulary());
  const Inflater inflater(small, big, options.number("seed"));
  const std::string& out = options.text("out");
  File file(out);
  inflater.write(file);
  file.close();
  std::printf("%s: %.2f M parameters, %s, %u copies\n", out.c_str(), static_cast<double>(inflater.parameters()) / 1e6, big.type.name,
              big.copies);
}

}  // namespace

int main(int count, char** words) {
  try {
    inflate({count, words, usage, {{"seed", "1"}, {"rotate", "0"}}, {"model", "out", "embd", "layers", "ffn", "type"}});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
