#include "text/text_tokens.h"

#include <filesystem>
#include <string>
#include <vector>

#include "backend/llama_handles.h"
#include "backend/log.h"
#include "check.h"
#include "text/vocabulary.h"

using namespace nudging;

namespace {

/// A SentencePiece vocabulary of letters and spaces in which one token reaches over a space, as in "SuperBPE" vocabularies: "of▁the".
/// None of the vocabularies that come with llama.cpp has such a token.
class ReachingVocabulary {
 public:
  ReachingVocabulary()
      : file_(std::filesystem::temp_directory_path() /
              ("nudging-reaching-" + std::to_string(reinterpret_cast<std::uintptr_t>(this)) + ".gguf")) {
    add("<unk>", 0, LLAMA_TOKEN_TYPE_UNKNOWN);
    add("<s>", 0, LLAMA_TOKEN_TYPE_CONTROL);
    add("</s>", 0, LLAMA_TOKEN_TYPE_CONTROL);
    for (int byte = 0; byte < 256; ++byte) {
      constexpr const char* digits = "0123456789ABCDEF";
      add(std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">", 0, LLAMA_TOKEN_TYPE_BYTE);
    }
    add("▁", -1, LLAMA_TOKEN_TYPE_NORMAL);
    for (char letter = 'a'; letter <= 'z'; ++letter) add(std::string(1, letter), -2, LLAMA_TOKEN_TYPE_NORMAL);
    // Every merge on the way to "of▁the" has to be a token.
    for (const char* piece : {"of", "f▁", "of▁", "he", "the", "of▁the"}) add(piece, 5, LLAMA_TOKEN_TYPE_NORMAL);
    write();
    capture_log();
    llama_model_params parameters = llama_model_default_params();
    parameters.vocab_only = true;
    model_.reset(llama_model_load_from_file(file_.c_str(), parameters));
    std::filesystem::remove(file_);
    if (!model_) throw std::runtime_error("the vocabulary cannot be loaded");
    vocabulary_ = std::make_unique<Vocabulary>(llama_model_get_vocab(model_.get()), "llama");
  }

  const Vocabulary& operator*() const { return *vocabulary_; }
  const Vocabulary* operator->() const { return vocabulary_.get(); }

 private:
  void add(std::string piece, float score, int type) {
    pieces_.push_back(std::move(piece));
    scores_.push_back(score);
    types_.push_back(type);
  }

  void write() {
    const GgufHandle gguf(gguf_init_empty());
    gguf_set_val_str(gguf.get(), "general.architecture", "llama");
    gguf_set_val_u32(gguf.get(), "llama.context_length", 64);
    gguf_set_val_str(gguf.get(), "tokenizer.ggml.model", "llama");
    std::vector<const char*> pieces;
    for (const std::string& piece : pieces_) pieces.push_back(piece.c_str());
    gguf_set_arr_str(gguf.get(), "tokenizer.ggml.tokens", pieces.data(), pieces.size());
    gguf_set_arr_data(gguf.get(), "tokenizer.ggml.scores", GGUF_TYPE_FLOAT32, scores_.data(), scores_.size());
    gguf_set_arr_data(gguf.get(), "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types_.data(), types_.size());
    gguf_set_val_u32(gguf.get(), "tokenizer.ggml.bos_token_id", 1);
    gguf_set_val_u32(gguf.get(), "tokenizer.ggml.eos_token_id", 2);
    gguf_write_to_file(gguf.get(), file_.c_str(), true);
  }

  std::filesystem::path file_;
  std::vector<std::string> pieces_;
  std::vector<float> scores_;
  std::vector<std::int32_t> types_;
  ModelHandle model_;
  std::unique_ptr<Vocabulary> vocabulary_;
};

}  // namespace

TEST("R2: text is not cut where a token reaches over the space") {
  const ReachingVocabulary vocabulary;
  CHECK(!vocabulary->splits('f', 't'));
  CHECK(vocabulary->splits('e', 't'));
  TextTokens text(*vocabulary);
  const std::vector<std::string> texts = {"part of",     "part of the",       "part of the way", "part of th",
                                          "part of thy", "a of the of the b", "a of the of the"};
  for (const std::string& one : texts) CHECK_EQUAL(text.follow(one), vocabulary->tokenize(one));
}

TEST("R2: such a token is really used: cutting there would give other tokens") {
  const ReachingVocabulary vocabulary;
  std::vector<Token> apart = vocabulary->tokenize("part of");
  const std::vector<Token> rest = vocabulary->tokenize("the");
  apart.insert(apart.end(), rest.begin(), rest.end());
  CHECK(vocabulary->tokenize("part of the") != apart);
}
