/// A second addon, for tests only: parts of the engine that the shipped addon does not expose.
#include <memory>
#include <stdexcept>
#include <string>

#include "addon/napi_config.h"
#include "backend/llama_handles.h"
#include "backend/log.h"
#include "text/text_tokens.h"
#include "text/vocabulary.h"

namespace {

using namespace nudging;

/// A vocabulary-only GGUF, tokenised whole and by following changes.
class VocabularyProbe : public Napi::ObjectWrap<VocabularyProbe> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "VocabularyProbe",
                       {
                           InstanceMethod<&VocabularyProbe::tokenize>("tokenize"),
                           InstanceMethod<&VocabularyProbe::follow>("follow"),
                           InstanceMethod<&VocabularyProbe::restart>("restart"),
                           InstanceAccessor<&VocabularyProbe::splits>("splits"),
                       });
  }

  explicit VocabularyProbe(const Napi::CallbackInfo& info) : Napi::ObjectWrap<VocabularyProbe>(info) {
    llama_model_params parameters = llama_model_default_params();
    parameters.vocab_only = true;
    model_.reset(llama_model_load_from_file(info[0].ToString().Utf8Value().c_str(), parameters));
    if (!model_) {
      Napi::Error::New(info.Env(), "cannot load the vocabulary: " + take_log()).ThrowAsJavaScriptException();
      return;
    }
    char tokenizer_model[32] = {};
    llama_model_meta_val_str(model_.get(), "tokenizer.ggml.model", tokenizer_model, sizeof tokenizer_model);
    vocabulary_ = std::make_unique<Vocabulary>(llama_model_get_vocab(model_.get()), tokenizer_model);
    text_ = std::make_unique<TextTokens>(*vocabulary_);
  }

 private:
  Napi::Value tokenize(const Napi::CallbackInfo& info) { return array(info.Env(), vocabulary_->tokenize(info[0].ToString().Utf8Value())); }
  Napi::Value follow(const Napi::CallbackInfo& info) { return array(info.Env(), text_->follow(info[0].ToString().Utf8Value())); }
  void restart(const Napi::CallbackInfo&) { text_ = std::make_unique<TextTokens>(*vocabulary_); }

  /// How many of the 52 ASCII letters may stand in front of a cut.
  Napi::Value splits(const Napi::CallbackInfo& info) {
    int count = 0;
    for (char letter = 'A'; letter <= 'z'; ++letter) count += vocabulary_->splits(letter, 'x') ? 1 : 0;
    return Napi::Number::New(info.Env(), count);
  }

  static Napi::Value array(Napi::Env env, const std::vector<Token>& tokens) {
    auto values = Napi::Int32Array::New(env, tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) values[i] = tokens[i];
    return values;
  }

  ModelHandle model_;
  std::unique_ptr<Vocabulary> vocabulary_;
  std::unique_ptr<TextTokens> text_;
};

Napi::Object start(Napi::Env env, Napi::Object exports) {
  capture_log();
  exports.Set("VocabularyProbe", VocabularyProbe::define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(nudging_probe, start)
