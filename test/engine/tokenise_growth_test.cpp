#include <algorithm>
#include <chrono>
#include <filesystem>
#include <locale>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "basics/failure.h"
#include "check.h"
#include "src/unicode.h"
#include "text/give_up.h"
#include "vocabularies.h"

using namespace nudging;

namespace {

std::string repeat(std::string_view part, std::size_t bytes, std::string_view end = {}) {
  std::string text;
  while (text.size() < bytes) text += part;
  return text.append(end);
}

/// The names of all pre-tokenizers, from llama.cpp's source: those of its next release are not forgotten.
std::set<std::string> pre_tokenizers() {
  const std::string source = collections::read(collections::models.parent_path() / "src" / "llama-vocab.cpp");
  const std::regex comparison("tokenizer_pre == \"([^\"]+)\"");
  std::set<std::string> names;
  for (std::sregex_iterator match(source.begin(), source.end(), comparison), end; match != end; ++match) names.insert((*match)[1]);
  // They leave spaces in what is merged, which only the tokenizers that they come with can take (gguf/tokenizer.cpp refuses others).
  for (const char* other : {"gemma4", "sarvam-moe", "whitespace"}) names.erase(other);
  return names;
}

/// A byte-level BPE vocabulary of nothing but bytes and one merge: quickly loaded, and whatever takes long is the pre-tokenizer's doing.
class PlainVocabulary {
 public:
  explicit PlainVocabulary(const std::string& pre_tokenizer) {
    const std::string name = "nudging-plain-" + std::to_string(reinterpret_cast<std::uintptr_t>(this)) + ".gguf";
    const std::filesystem::path file = std::filesystem::temp_directory_path() / name;
    write(file, pre_tokenizer);
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    llama_model_params parameters = llama_model_default_params();
    parameters.vocab_only = true;
    model_.reset(llama_model_load_from_file(file.c_str(), parameters));
    std::filesystem::remove(file);
    if (model_) vocabulary_ = std::make_unique<Vocabulary>(llama_model_get_vocab(model_.get()), "gpt2");
  }
  const Vocabulary* get() const { return vocabulary_.get(); }

 private:
  static void write(const std::filesystem::path& file, const std::string& pre_tokenizer) {
    const GgufHandle gguf(gguf_init_empty());
    gguf_set_val_str(gguf.get(), "general.architecture", "llama");
    gguf_set_val_u32(gguf.get(), "llama.context_length", 64);
    gguf_set_val_str(gguf.get(), "tokenizer.ggml.model", "gpt2");
    gguf_set_val_str(gguf.get(), "tokenizer.ggml.pre", pre_tokenizer.c_str());
    std::vector<std::string> tokens;
    for (int byte = 0; byte < 256; ++byte) tokens.push_back(unicode_byte_to_utf8(static_cast<uint8_t>(byte)));
    tokens.emplace_back("11");
    tokens.emplace_back("<end>");
    std::vector<const char*> texts;
    for (const std::string& token : tokens) texts.push_back(token.c_str());
    gguf_set_arr_str(gguf.get(), "tokenizer.ggml.tokens", texts.data(), texts.size());
    std::vector<std::int32_t> types(tokens.size(), LLAMA_TOKEN_TYPE_NORMAL);
    types.back() = LLAMA_TOKEN_TYPE_CONTROL;
    gguf_set_arr_data(gguf.get(), "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(), types.size());
    const char* merge = "1 1";
    gguf_set_arr_str(gguf.get(), "tokenizer.ggml.merges", &merge, 1);
    gguf_set_val_u32(gguf.get(), "tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(tokens.size() - 1));
    gguf_write_to_file(gguf.get(), file.c_str(), true);
  }

  ModelHandle model_;
  std::unique_ptr<Vocabulary> vocabulary_;
};

struct Run {
  const char* part;
  const char* end = "";
};

/// What texts can consist of that have no place to cut, and what may follow such a run.
constexpr Run runs[] = {
    {"1"},
    {"1", "x"},
    {"12,"},
    {"1 "},
    {"a1"},
    {"a"},
    {"A"},
    {"aA"},
    {"Aa", "1"},
    {" "},
    {" ", "x"},
    {" ", "1"},
    {"\t", "!"},
    {"\n"},
    {"\r\n", " "},
    {" \n", "x"},
    {"!"},
    {"!", "a"},
    {"' "},
    {"'s"},
    {"'ll", "1"},
    {"=-"},
    {"_"},
    {"$"},
    {"a  "},
    {"ab "},
    {"\xE4\xB8\xAD"},
    {"1\xE4\xB8\xAD"},
    {"\xE3\x82\xA2", "a"},
    {"\xED\x95\x9C"},
    {"\xD1\x8F", "1"},
    {"\xC3\xA9"},
    {"e\xCC\x81"},
    {"\xCC\x81"},
    {"\xF0\x9F\x99\x82"},
    {"\xC2\xA0", "x"},
    {"\xE3\x80\x80", "\xE4\xB8\xAD"},
    {"\xD9\xA3"},
    {"\x01"},
    {"<sentinel:1"},
    {"IMGIMGA"},
    {"<td>"},
};

double milliseconds_for(const Vocabulary& vocabulary, const std::string& text) {
  const auto begin = std::chrono::steady_clock::now();
  vocabulary.tokenize(text);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

/// Below this, even a time that grew with the square would stay under a second for the longest texts that fit a context.
constexpr double quick = 12;
constexpr std::size_t length = 4096;

/// Twice the text in at most three times the time; others use this machine too, so the best of several tries counts.
bool grows_in_proportion(const Vocabulary& vocabulary, const Run& run) {
  double once = milliseconds_for(vocabulary, repeat(run.part, length, run.end));
  double twice = 0;
  for (int attempt = 0; attempt < 4; ++attempt) {
    if (once < quick) return true;
    twice = milliseconds_for(vocabulary, repeat(run.part, 2 * length, run.end));
    if (twice < 3 * once) return true;
    once = std::max(once, milliseconds_for(vocabulary, repeat(run.part, length, run.end)));
  }
  return false;
}

void check_growth(const Vocabulary& vocabulary, const std::string& name) {
  for (const Run& run : runs) {
    if (grows_in_proportion(vocabulary, run)) continue;
    CHECK_EQUAL(name + ": \"" + run.part + "\" before \"" + run.end + "\" takes more than in proportion", "");
  }
}

/// Upstream's way of splitting, for expressions without Unicode categories.
std::vector<std::string> split_by_std_regex(const std::vector<std::string>& pieces, const std::wstring& expression) {
  const std::wregex compiled(expression);
  std::vector<std::string> split;
  for (const std::string& piece : pieces) {
    const std::wstring text(piece.begin(), piece.end());
    std::size_t from = 0;
    const auto add = [&](std::size_t to) {
      if (to > from) split.push_back(piece.substr(from, to - from));
      from = to;
    };
    for (std::wsregex_iterator match(text.begin(), text.end(), compiled), end; match != end; ++match) {
      add(static_cast<std::size_t>(match->position()));
      add(static_cast<std::size_t>(match->position() + match->length()));
    }
    add(piece.size());
  }
  return split;
}

std::vector<std::string> without_empty(std::vector<std::string> pieces) {
  std::erase(pieces, "");
  return pieces;
}

}  // namespace

TEST("tokenising takes time in proportion to the text, with every pre-tokenizer and every kind of run") {
  std::size_t loaded = 0;
  for (const std::string& name : pre_tokenizers()) {
    const PlainVocabulary vocabulary(name);
    if (vocabulary.get() == nullptr) continue;
    ++loaded;
    check_growth(*vocabulary.get(), name);
  }
  CHECK(loaded > 60);
}

TEST("tokenising takes time in proportion to the text, with every vocabulary that comes with llama.cpp") {
  for (const auto& each : collections::vocabularies()) check_growth(*each.vocabulary, each.name);
}

TEST("what takes one pass instead of std::regex gives the same pieces") {
  std::mt19937 random(20241126);
  constexpr const char* parts[] = {"1", "12", "123", "7654321", " ", "  ", "\t", "\v", "a", "x1", "\n", "\r", "!", "0"};
  std::size_t digits = 0;
  std::size_t spaces = 0;
  for (int i = 0; i < 5'000; ++i) {
    std::string text;
    for (std::size_t count = random() % 12; count > 0; --count) text += parts[random() % std::size(parts)];
    const std::vector<std::string> whole = {text};
    const auto grouped = split_by_std_regex(split_by_std_regex(whole, L"[0-9]+"), L"(?=(\\d{3})+(?!\\d))");
    digits += grouped.size();
    CHECK_EQUAL(without_empty(unicode_regex_split(text, {"[0-9]+", "(?=(\\d{3})+(?!\\d))"}, false)), grouped);
    const auto trailing = split_by_std_regex(split_by_std_regex(split_by_std_regex(whole, L"[\r\n]"), L"\\s?[a-z]+"), L"\\s+$");
    spaces += trailing.size();
    CHECK_EQUAL(without_empty(unicode_regex_split(text, {"[\r\n]", "\\s?[a-z]+", "\\s+$"}, false)), trailing);
  }
  CHECK(digits > 10'000 && spaces > 10'000);
}

TEST("tokenising that was given up ends at once, on a deep stack too, and the next text is tokenised") {
  std::atomic<bool> given_up = true;
  for (const auto& each : collections::vocabularies()) {
    for (const char* part : {"1", "a", "a b", "  ", "!a"}) {
      const std::string text = repeat(part, 200'000);
      std::string code;
      const auto begin = std::chrono::steady_clock::now();
      try {
        const GiveUpScope scope(&given_up);
        each.vocabulary->tokenize(text);
      } catch (const Failure& failure) {
        code = failure_code(failure.kind());
      }
      CHECK_EQUAL(code, "ERR_INTERNAL");
      CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(500));
    }
    CHECK(!each.vocabulary->tokenize("a b").empty());
  }
}

TEST("llama.cpp asks in the middle of a text whether it is still wanted") {
  // The first look says yes, a later one no.
  struct Asked {
    mutable int times = 0;
  } asked;
  for (const char* name : {"deepseek-llm", "llama-spm", "phi-3", "llama-bpe"}) {
    const collections::Loaded loaded = collections::load(name);
    const std::string text = repeat(std::string(name) == "deepseek-llm" ? "1a" : "ab", 40'000);
    asked.times = 0;
    unicode_set_give_up([](const void* data) { return ++static_cast<const Asked*>(data)->times > 2; }, &asked);
    bool thrown = false;
    std::vector<Token> tokens(text.size() + 2);
    try {
      const auto [bytes, room] = std::pair(static_cast<int32_t>(text.size()), static_cast<int32_t>(tokens.size()));
      llama_tokenize(loaded.vocab(), text.data(), bytes, tokens.data(), room, false, false);
    } catch (const unicode_given_up&) {
      thrown = true;
    }
    unicode_set_give_up(nullptr, nullptr);
    if (!thrown) CHECK_EQUAL(std::string(name) + " was not given up", "");
  }
}
