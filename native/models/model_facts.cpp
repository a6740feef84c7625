#include "models/model_facts.h"

#include "basics/failure.h"
#include "models/model.h"

namespace nudging {

namespace {

ModelFacts::Named named(const llama_vocab* vocab, Token token) {
  const char* text = llama_vocab_get_text(vocab, token);
  return {token, text == nullptr ? "" : text};
}

}  // namespace

ModelFacts facts_of(const std::string& path, const std::vector<Message>& chat) {
  Model::Options options;
  options.path = path;
  options.weights = Model::Weights::none;
  const Model model(options, [](float) { return true; });

  ModelFacts facts;
  facts.description = model.description();
  facts.trained_context = model.trained_context();
  facts.recurrent = llama_model_is_recurrent(model.handle()) || llama_model_is_hybrid(model.handle());
  const llama_vocab* vocab = llama_model_get_vocab(model.handle());
  if (const Token leading = model.vocabulary().leading(); leading >= 0) facts.leading = named(vocab, leading);
  for (std::size_t i = 0; i < model.vocabulary().size(); ++i) {
    const auto token = static_cast<Token>(i);
    if (model.vocabulary().ends(token)) facts.ends.push_back(named(vocab, token));
  }
  try {
    if (const ChatTemplate* own = model.chat_template()) facts.rendered = own->render(chat, model.vocabulary());
  } catch (const Failure& failure) {
    facts.template_failure = failure.what();
  }
  return facts;
}

}  // namespace nudging
