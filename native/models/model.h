#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "backend/cpu_buffers.h"
#include "backend/llama_handles.h"
#include "models/placement.h"
#include "templates/chat_template.h"
#include "text/vocabulary.h"

namespace nudging {

/// A loaded model: weights, vocabulary, chat template. Immutable once loaded, so that engines on several threads may share it.
class Model {
 public:
  /// `none` reads only what a file says of itself, to find out what it would take. `elsewhere` reads what texts need, also of a file that
  /// has no weights.
  enum class Weights : std::uint8_t { none, all, elsewhere };
  struct Options {
    std::string path;
    /// How many layers to put on the GPU, the output layer counted as one. Without a GPU backend it has no effect.
    std::uint32_t gpu_layers = 0;
    Weights weights = Weights::all;
    /// Extra CPU buffers that weights may be put into; nothing: all of this machine's.
    std::optional<CpuBuffers> cpu_buffers = std::nullopt;
    /// Weights may be pages of the file. Otherwise all are copies, and the file is not needed once they are read.
    bool mapped = true;
    /// Which GPUs have which layers; nothing: as llama.cpp divides them.
    std::optional<Placement> placement = std::nullopt;
  };
  /// Called with the loaded fraction in [0, 1]; loading is given up when it returns false.
  using Progress = std::function<bool(float)>;

  /// Loads a GGUF file with its weights. Throws Failure: model_unreadable, model_invalid, model_unsupported (a model that cannot generate
  /// text), load_aborted, out_of_memory.
  Model(const Options& options, const Progress& progress);

  llama_model* handle() const { return handle_.get(); }
  const Vocabulary& vocabulary() const { return *vocabulary_; }
  /// The GGUF's own chat template; null if it has none. Throws Failure(template_failed) if it cannot be parsed.
  const ChatTemplate* chat_template() const;

  /// Context length in tokens that the model was trained with; 0 where the file does not say.
  std::uint32_t trained_context() const;
  std::uint64_t parameters() const { return llama_model_n_params(handle_.get()); }
  std::uint64_t bytes() const { return llama_model_size(handle_.get()); }
  /// Short description from llama.cpp, such as "llama 8B Q4_0".
  std::string description() const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  ModelHandle handle_;
  std::unique_ptr<Vocabulary> vocabulary_;
  mutable std::mutex template_mutex_;
  mutable std::unique_ptr<ChatTemplate> template_;  // guarded by template_mutex_ until it is there; immutable then
};

/// Checks a GGUF file and opens it with llama.cpp. Throws as Model's constructor does.
ModelHandle open_model(const Model::Options& options, const Model::Progress& progress);

}  // namespace nudging
