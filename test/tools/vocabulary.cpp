#include "vocabulary.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

namespace {

constexpr const char* tokens_key = "tokenizer.ggml.tokens";
constexpr const char* types_key = "tokenizer.ggml.token_type";
constexpr std::int32_t type_control = 3;
constexpr std::int32_t type_byte = 6;

/// Roles in plain text: a model that knows no control tokens can be asked with it.
constexpr const char* plain_template =
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif "
    "%}";

void copy(const gguf_context* from, std::int64_t id, gguf_context* to) {
  const char* key = gguf_get_key(from, id);
  switch (gguf_get_kv_type(from, id)) {
    case GGUF_TYPE_UINT32: return gguf_set_val_u32(to, key, gguf_get_val_u32(from, id));
    case GGUF_TYPE_INT32: return gguf_set_val_i32(to, key, gguf_get_val_i32(from, id));
    case GGUF_TYPE_FLOAT32: return gguf_set_val_f32(to, key, gguf_get_val_f32(from, id));
    case GGUF_TYPE_BOOL: return gguf_set_val_bool(to, key, gguf_get_val_bool(from, id));
    case GGUF_TYPE_STRING: return gguf_set_val_str(to, key, gguf_get_val_str(from, id));
    case GGUF_TYPE_ARRAY: break;
    default: throw std::runtime_error(std::string(key) + " has a type that no tokenizer uses");
  }
  const std::size_t length = gguf_get_arr_n(from, id);
  if (gguf_get_arr_type(from, id) != GGUF_TYPE_STRING)
    return gguf_set_arr_data(to, key, gguf_get_arr_type(from, id), gguf_get_arr_data(from, id), length);
  std::vector<const char*> strings(length);
  for (std::size_t i = 0; i < length; ++i) strings[i] = gguf_get_arr_str(from, id, i);
  gguf_set_arr_str(to, key, strings.data(), length);
}

/// Spaces, newlines and a byte order mark, as SentencePiece and as byte-level BPE spell them.
constexpr std::array<std::string_view, 5> awkward = {"\u2581", "\u2581\u2581", "\n", "\n\n", "\uFEFF"};
constexpr std::array<std::string_view, 5> awkward_bytes = {"\u0120", "\u0120\u0120", "\u010A", "\u010A\u010A", "\u00EF\u00BB\u00BF"};

}  // namespace

VocabularyFile::VocabularyFile(const std::string& path) : header_(gguf_init_from_file(path.c_str(), {.no_alloc = true, .ctx = nullptr})) {
  if (!header_) throw std::runtime_error("cannot read " + path);
  const std::int64_t id = gguf_find_key(header_.get(), tokens_key);
  if (id < 0) throw std::runtime_error(path + " has no vocabulary");
  size_ = static_cast<std::uint32_t>(gguf_get_arr_n(header_.get(), id));
}

void VocabularyFile::copy_to(gguf_context* model) const {
  for (std::int64_t id = 0; id < gguf_get_n_kv(header_.get()); ++id) {
    if (std::string_view(gguf_get_key(header_.get(), id)).starts_with("tokenizer.")) copy(header_.get(), id, model);
  }
  if (gguf_find_key(model, "tokenizer.chat_template") < 0) gguf_set_val_str(model, "tokenizer.chat_template", plain_template);
}

std::vector<float> VocabularyFile::emphasis(float end_of_text) const {
  std::vector<float> factors(size_, 1.0F);
  const std::int64_t tokens = gguf_find_key(header_.get(), tokens_key);
  const std::int64_t types = gguf_find_key(header_.get(), types_key);
  const std::int64_t model = gguf_find_key(header_.get(), "tokenizer.ggml.model");
  const auto& spelled = model >= 0 && std::string_view(gguf_get_val_str(header_.get(), model)) == "gpt2" ? awkward_bytes : awkward;
  for (std::uint32_t token = 0; token < size_; ++token) {
    const std::int32_t type = types < 0 ? 0 : static_cast<const std::int32_t*>(gguf_get_arr_data(header_.get(), types))[token];
    // Bytes, mostly parts of characters. There are 256 of them, so a little goes a long way.
    if (type == type_byte) factors[token] = 1.2F;
    if (type == type_control) factors[token] = 1.1F;
    if (std::find(spelled.begin(), spelled.end(), gguf_get_arr_str(header_.get(), tokens, token)) != spelled.end()) factors[token] = 1.6F;
  }
  for (const char* name : {"eos", "eot", "eom"}) {
    const std::int64_t id = gguf_find_key(header_.get(), ("tokenizer.ggml." + std::string(name) + "_token_id").c_str());
    if (id < 0 || gguf_get_kv_type(header_.get(), id) != GGUF_TYPE_UINT32) continue;
    const std::uint32_t token = gguf_get_val_u32(header_.get(), id);
    if (token < size_) factors[token] = end_of_text;
  }
  return factors;
}
