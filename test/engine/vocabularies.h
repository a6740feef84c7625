#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "backend/llama_handles.h"
#include "llama.h"
#include "templates/chat_template.h"
#include "text/vocabulary.h"

/// llama.cpp's own collections: real vocabularies without weights, and the chat templates of many models.
namespace collections {

inline const std::filesystem::path models = NUDGING_LLAMA_CPP_MODELS;

struct Loaded {
  std::string name;
  nudging::ModelHandle model;
  std::unique_ptr<nudging::Vocabulary> vocabulary;
  const llama_vocab* vocab() const { return llama_model_get_vocab(model.get()); }
};

inline std::vector<std::filesystem::path> files(const std::filesystem::path& folder, const std::string& begin, const std::string& end) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(begin) && name.ends_with(end)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// A vocabulary by the name in its file's, such as "gpt-2"; null members if it cannot be loaded or is BERT's, which is for embeddings.
inline Loaded load(const std::string& name) {
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  const std::string stem = "ggml-vocab-" + name;
  llama_model_params parameters = llama_model_default_params();
  parameters.vocab_only = true;
  nudging::ModelHandle model(llama_model_load_from_file((models / (stem + ".gguf")).string().c_str(), parameters));
  if (!model || llama_vocab_type(llama_model_get_vocab(model.get())) == LLAMA_VOCAB_TYPE_WPM) return {};
  std::array<char, 32> kind{};
  llama_model_meta_val_str(model.get(), "tokenizer.ggml.model", kind.data(), kind.size());
  auto vocabulary = std::make_unique<nudging::Vocabulary>(llama_model_get_vocab(model.get()), kind.data());
  return {stem, std::move(model), std::move(vocabulary)};
}

/// Every vocabulary of a text generator.
inline const std::vector<Loaded>& vocabularies() {
  static const std::vector<Loaded> all = [] {
    std::vector<Loaded> loaded;
    for (const auto& path : files(models, "ggml-vocab-", ".gguf")) {
      Loaded one = load(path.stem().string().substr(std::string("ggml-vocab-").size()));
      if (one.model) loaded.push_back(std::move(one));
    }
    return loaded;
  }();
  return all;
}

inline std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Every chat template, by name.
inline const std::map<std::string, nudging::ChatTemplate>& templates() {
  static const std::map<std::string, nudging::ChatTemplate> all = [] {
    std::map<std::string, nudging::ChatTemplate> parsed;
    for (const auto& path : files(models / "templates", "", ".jinja"))
      parsed.emplace(path.stem().string(), nudging::ChatTemplate(read(path)));
    return parsed;
  }();
  return all;
}

}  // namespace collections
