#include "models/model.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "backend/architecture.h"
#include "backend/log.h"
#include "basics/failure.h"
#include "gguf/validator.h"

namespace nudging {

namespace {

std::string in_quotes(const std::string& path) { return "\"" + path + "\""; }

const char* kind_of(std::filesystem::file_type type) {
  switch (type) {
    case std::filesystem::file_type::fifo: return "a pipe";
    case std::filesystem::file_type::socket: return "a socket";
    case std::filesystem::file_type::block:
    case std::filesystem::file_type::character: return "a device";
    default: return "no regular file";
  }
}

void check_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error || !std::filesystem::exists(status)) {
    throw Failure(FailureKind::model_unreadable, "no model file at " + in_quotes(path) + ": check the path");
  }
  if (std::filesystem::is_directory(status)) {
    throw Failure(FailureKind::model_unreadable, in_quotes(path) + " is a directory: name the .gguf file in it");
  }
  // Before it is opened: that would wait for a pipe's writer, and nothing could end the waiting.
  if (!std::filesystem::is_regular_file(status)) {
    throw Failure(FailureKind::model_unreadable, in_quotes(path) + " is " + kind_of(status.type()) +
                                                     ", and a model is read back and forth: write it into a file, and name that");
  }
}

/// What the header already tells, so that the reason is clear before anything is allocated.
void check_header(const std::string& path, Model::Weights weights) {
  const GgufHandle header(gguf_init_from_file(path.c_str(), {.no_alloc = true, .ctx = nullptr}));
  if (!header) {
    const std::string reason = take_log();
    throw Failure(FailureKind::model_invalid,
                  in_quotes(path) + " is damaged or cut short: download it again" + (reason.empty() ? "" : " (" + reason + ")"));
  }
  if (gguf_get_n_tensors(header.get()) == 0 && weights != Model::Weights::elsewhere) {
    throw Failure(FailureKind::model_unsupported, in_quotes(path) + " holds only a vocabulary: use a file that holds the model's weights");
  }
}

std::string describe(const llama_model* model) {
  std::array<char, 128> text{};
  llama_model_desc(model, text.data(), text.size());
  return text.data();
}

llama_split_mode split_mode_of(SplitMode mode) {
  switch (mode) {
    case SplitMode::none: return LLAMA_SPLIT_MODE_NONE;
    case SplitMode::layer: return LLAMA_SPLIT_MODE_LAYER;
    case SplitMode::row: return LLAMA_SPLIT_MODE_ROW;
    case SplitMode::tensor: return LLAMA_SPLIT_MODE_TENSOR;
  }
  return LLAMA_SPLIT_MODE_LAYER;
}

/// A placement as llama.cpp takes it: lists that end with a null, and proportions for as many devices as it can ever have.
class PlacementParameters {
 public:
  explicit PlacementParameters(const Placement& placement) : placement_(placement), devices_(placement.devices), split_(placement.split) {
    devices_.push_back(nullptr);
    split_.resize(std::max(split_.size(), llama_max_devices()), 0.0F);
    for (const auto& [pattern, buffer, is_optional] : placement.overrides) overrides_.push_back({pattern.c_str(), buffer});
    overrides_.push_back({nullptr, nullptr});
  }

  void write_to(llama_model_params& parameters) {
    parameters.devices = devices_.data();
    // Over no device, nothing is split; llama.cpp would refuse.
    parameters.split_mode = split_mode_of(placement_.devices.empty() ? SplitMode::layer : placement_.mode);
    parameters.main_gpu = 0;
    parameters.tensor_split = split_.data();
    if (overrides_.size() > 1) parameters.tensor_buft_overrides = overrides_.data();
  }

 private:
  const Placement& placement_;
  std::vector<ggml_backend_dev_t> devices_;
  std::vector<float> split_;
  std::vector<llama_model_tensor_buft_override> overrides_;
};

bool on_progress(float fraction, void* progress) { return (*static_cast<const Model::Progress*>(progress))(fraction); }

}  // namespace

ModelHandle open_model(const Model::Options& options, const Model::Progress& progress) {
  const std::string& path = options.path;
  check_file(path);
  validate_gguf(path);
  check_header(path, options.weights);

  bool wanted = true;
  const Model::Progress watched = [&](float fraction) { return wanted = progress(fraction); };
  llama_model_params parameters = llama_model_default_params();
  parameters.n_gpu_layers = static_cast<std::int32_t>(options.gpu_layers);
  parameters.progress_callback = on_progress;
  parameters.progress_callback_user_data = const_cast<Model::Progress*>(&watched);
  if (options.weights == Model::Weights::none) {
    parameters.no_alloc = true;
    // llama.cpp asserts that nothing is mapped then.
    parameters.load_mode = LLAMA_LOAD_MODE_NONE;
  }
  parameters.vocab_only = options.weights == Model::Weights::elsewhere;
  if (!options.mapped) {
    parameters.load_mode = LLAMA_LOAD_MODE_NONE;
    // Tensors of gigabytes would be mapped all the same.
    parameters.lazy_mode = LLAMA_LAZY_MODE_OFF;
  }

  std::optional<PlacementParameters> placement;
  if (options.placement) placement.emplace(*options.placement).write_to(parameters);

  std::optional<CpuBufferScope> scope;
  if (options.cpu_buffers) scope.emplace(*options.cpu_buffers);
  take_log();
  ModelHandle model(llama_model_load_from_file(path.c_str(), parameters));
  if (!model) {
    const std::string reason = take_log();
    if (!wanted) throw Failure(FailureKind::load_aborted, "loading " + in_quotes(path) + " was aborted");
    if (reason.find("unable to allocate") != std::string::npos || reason.find("out of memory") != std::string::npos) {
      throw Failure(FailureKind::out_of_memory,
                    "not enough memory to load " + in_quotes(path) + " (" + reason + "): use a smaller quantisation or fewer GPU layers");
    }
    throw Failure(FailureKind::model_invalid,
                  in_quotes(path) + " cannot be loaded: " + (reason.empty() ? "llama.cpp gives no reason" : reason));
  }
  if (llama_model_has_encoder(model.get()) || !llama_model_has_decoder(model.get()) || llama_model_is_diffusion(model.get())) {
    throw Failure(FailureKind::model_unsupported,
                  in_quotes(path) + " (" + describe(model.get()) + ") is no left-to-right language model: use a decoder-only model");
  }
  const llama_vocab* vocab = llama_model_get_vocab(model.get());
  if (llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_NONE || llama_vocab_n_tokens(vocab) <= 0) {
    throw Failure(FailureKind::model_unsupported, in_quotes(path) + " has no tokenizer: convert the model together with its tokenizer");
  }
  return model;
}

Model::Model(const Options& options, const Progress& progress) : path_(options.path), handle_(open_model(options, progress)) {
  std::array<char, 32> tokenizer_model{};
  llama_model_meta_val_str(handle_.get(), "tokenizer.ggml.model", tokenizer_model.data(), tokenizer_model.size());
  vocabulary_ = std::make_unique<Vocabulary>(llama_model_get_vocab(handle_.get()), tokenizer_model.data());
}

const ChatTemplate* Model::chat_template() const {
  const std::scoped_lock lock(template_mutex_);
  if (!template_) {
    const char* source = llama_model_chat_template(handle_.get(), nullptr);
    if (source == nullptr || *source == '\0') return nullptr;
    template_ = std::make_unique<ChatTemplate>(source);
  }
  return template_.get();
}

std::uint32_t Model::trained_context() const {
  if (const std::int32_t known = llama_model_n_ctx_train(handle_.get()); known > 0) return static_cast<std::uint32_t>(known);
  // llama.cpp does not read it where there are no weights.
  std::array<char, 32> text{};
  const std::string key = architecture_of(handle_.get()) + ".context_length";
  if (llama_model_meta_val_str(handle_.get(), key.c_str(), text.data(), text.size()) <= 0) return 0;
  return static_cast<std::uint32_t>(std::clamp(std::strtoll(text.data(), nullptr, 10), 0LL, 0x7FFFFFFFLL));
}

std::string Model::description() const { return describe(handle_.get()); }

}  // namespace nudging
