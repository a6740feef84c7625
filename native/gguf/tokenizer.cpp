#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "gguf/validator.h"
#include "llama.h"

namespace nudging {

namespace {

/// The longest tokens of real vocabularies have some hundred bytes (runs of spaces or dashes).
constexpr std::size_t longest_token = 16 * 1024;
/// Unigram and RWKV vocabularies become tries whose nodes are built and destroyed by recursion, a byte a level; PLaMo-2 keeps every end of
/// every token.
constexpr std::size_t longest_token_in_trie = 1024;

/// What `llama_unescape_rwkv_token` makes of a token: `\t`, `\n`, `\r`, `\xHH`, and any other letter behind a backslash for itself.
std::string unescape_rwkv(std::string_view escaped) {
  std::string bytes;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '\\') {
      bytes += escaped[i];
    } else if (++i < escaped.size()) {
      switch (escaped[i]) {
        case 't': bytes += '\t'; break;
        case 'n': bytes += '\n'; break;
        case 'r': bytes += '\r'; break;
        case 'x': {
          if (i + 2 >= escaped.size()) return bytes;
          const auto digit = [&](std::size_t at) {
            return static_cast<std::uint8_t>(escaped[at] >= 'a' ? escaped[at] - 'a' + 10 : escaped[at] - '0');
          };
          bytes += static_cast<char>(static_cast<std::uint8_t>(digit(i + 1) << 4U) + digit(i + 2));
          i += 2;
          break;
        }
        default: bytes += escaped[i];
      }
    }
  }
  return bytes;
}

class Tokenizer {
 public:
  explicit Tokenizer(const GgufHeader& header) : header_(header), model_(header.text("tokenizer.ggml.model")) {}

  void check() const {
    for (const char* key : {"tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.chat_template"}) {
      if (const GgufValue* value = header_.find(key); value != nullptr && (value->is_array || value->type != GgufType::string)) {
        header_.refuse("the key " + in_quotes(key) + " has the type " + name_of(value->type) + (value->is_array ? " array" : "") +
                       " and must have string");
      }
    }
    // llama.cpp reports a tokenizer that it does not know, and Model that there is none.
    if (model_.empty() || model_ == "none" || model_ == "no_vocab") return;
    const GgufValue* tokens = array("tokenizer.ggml.tokens", {GgufType::string});
    if (tokens == nullptr) header_.refuse("it has a tokenizer (" + in_quotes(model_) + ") and no key \"tokenizer.ggml.tokens\"");
    if (tokens->count == 0) header_.refuse("the key \"tokenizer.ggml.tokens\" has no tokens");
    for (const auto* beside :
         {array("tokenizer.ggml.scores", {GgufType::f32, GgufType::i32}), array("tokenizer.ggml.token_type", {GgufType::i32})}) {
      if (beside != nullptr && beside->count < tokens->count) {
        header_.refuse("a list beside \"tokenizer.ggml.tokens\" has " + std::to_string(beside->count) + " entries for " +
                       std::to_string(tokens->count) + " tokens");
      }
    }
    array("tokenizer.ggml.merges", {GgufType::string});
    check_scores();
    check_tokens(*tokens);
    check_ends(tokens->count);
    check_pieces();
    if (model_ == "t5") check_charsmap();
  }

 private:
  /// An array of one of these types, or null if the key is missing.
  const GgufValue* array(const char* key, std::initializer_list<GgufType> types) const {
    const GgufValue* value = header_.find(key);
    if (value != nullptr && (!value->is_array || std::find(types.begin(), types.end(), value->type) == types.end())) {
      header_.refuse("the key " + in_quotes(key) + " has the type " + name_of(value->type) + (value->is_array ? " array" : "") +
                     " and must be an array of " + name_of(*types.begin()));
    }
    return value;
  }

  void check_scores() const {
    const GgufValue* scores = header_.find("tokenizer.ggml.scores");
    if (scores == nullptr) return;
    header_.each_float(*scores, [&](double score) {
      if (std::isnan(score)) header_.refuse("the key \"tokenizer.ggml.scores\" holds something that is not a number");
    });
  }

  void check_tokens(const GgufValue& tokens) const {
    std::vector<bool> is_byte;
    if (const GgufValue* types = header_.find("tokenizer.ggml.token_type")) {
      header_.each_integer(*types, [&](std::int64_t type) { is_byte.push_back(type == LLAMA_TOKEN_TYPE_BYTE); });
    }
    const bool has_trie = model_ == "t5" || model_ == "rwkv" || model_ == "plamo2";
    const std::size_t longest = has_trie ? longest_token_in_trie : longest_token;
    std::unordered_set<std::string> seen;
    seen.reserve(tokens.count);
    std::array<bool, 256> begins_token{};
    std::array<bool, 256> is_token{};
    std::size_t id = 0;
    header_.each_string(tokens, [&](std::string_view text) {
      // llama.cpp reads up to the first NUL, and gives tokens without text a name.
      text = text.substr(0, text.find('\0'));
      std::string token = text.empty() ? "[EMPTY_" + std::to_string(id) + "]" : std::string(text);
      const std::string what = "token " + std::to_string(id) + " (" + in_quotes(token) + ")";
      if (token.size() > longest)
        header_.refuse(what + " has " + std::to_string(token.size()) + " bytes, and at most " + std::to_string(longest) + " make sense");
      if (id < is_byte.size() && is_byte[id]) check_byte(token, what);
      if (model_ == "rwkv") {
        const std::string bytes = unescape_rwkv(token);
        if (!bytes.empty()) {
          begins_token[static_cast<std::uint8_t>(bytes.front())] = true;
          if (bytes.size() == 1) is_token[static_cast<std::uint8_t>(bytes.front())] = true;
        }
      }
      if (!seen.insert(std::move(token)).second) header_.refuse(what + " occurs twice");
      ++id;
    });
    // Its longest match starts again at the beginning of the text, for ever, where it finds the beginning of a token and no whole one.
    for (std::size_t byte = 0; byte < begins_token.size(); ++byte) {
      if (begins_token[byte] && !is_token[byte])
        header_.refuse("tokens begin with byte " + std::to_string(byte) + ", which is no token itself, as RWKV's tokenizer needs");
    }
  }

  /// Tokens of a single byte are spelt <0x0A>, and llama.cpp takes the digits without a look.
  void check_byte(std::string_view token, const std::string& what) const {
    if (model_ == "bert") header_.refuse(what + " is of the type for bytes, which BERT's tokenizer does not have");
    if (token.size() < 3) header_.refuse(what + " is of the type for bytes and has no number");
  }

  /// A generation without these would not end where it should, and llama.cpp would take others in their place without an error.
  void check_ends(std::uint64_t count) const {
    constexpr std::int64_t none = 0xFFFFFFFF;
    for (const char* key :
         {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
      const GgufValue* value = header_.find(key);
      if (value == nullptr) continue;
      if (value->is_array || value->type != GgufType::u32)
        header_.refuse("the key " + in_quotes(key) + " has the type " + name_of(value->type) + (value->is_array ? " array" : "") +
                       " and must have u32");
      header_.each_integer(*value, [&](std::int64_t id) {
        if (id != none && static_cast<std::uint64_t>(id) >= count) {
          header_.refuse("the key " + in_quotes(key) + " is " + std::to_string(id) + ", and there are " + std::to_string(count) +
                         " tokens");
        }
      });
    }
  }

  /// Merges must never see a space. This way of splitting texts leaves some, unless it comes with the tokenizer that drops them.
  void check_pieces() const {
    const std::string way = header_.text("tokenizer.ggml.pre");
    if (way == "whitespace" && model_ != "whitespace")
      header_.refuse("the key \"tokenizer.ggml.pre\" is \"whitespace\", which does not go with the tokenizer " + in_quotes(model_));
  }

  /// A length, that many bytes of a table of 32-bit entries, and texts that end with NUL.
  void check_charsmap() const {
    const GgufValue* value = array("tokenizer.ggml.precompiled_charsmap", {GgufType::u8, GgufType::i8});
    if (value == nullptr) return;
    const std::string bytes = header_.bytes(*value);
    std::uint32_t table = 0;
    if (bytes.size() >= sizeof table) std::copy_n(bytes.begin(), sizeof table, reinterpret_cast<char*>(&table));
    if (bytes.size() < sizeof table || std::uint64_t{table} + sizeof table >= bytes.size()) {
      header_.refuse("the key \"tokenizer.ggml.precompiled_charsmap\" has " + std::to_string(bytes.size()) +
                     " bytes, and says that its table alone has " + std::to_string(table));
    }
  }

  const GgufHeader& header_;
  std::string model_;
};

}  // namespace

void check_tokenizer(const GgufHeader& header) { Tokenizer(header).check(); }

}  // namespace nudging
