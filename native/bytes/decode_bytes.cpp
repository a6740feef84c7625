#include "bytes/decode_bytes.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "nudge/guard.h"
#include "nudge/utf8.h"

namespace nudging {

namespace {

/// Questions to several models, under way at the same time.
class Questions {
 public:
  /// `ahead`: how the text probably goes on.
  Questions(std::span<ByteLaw* const> all, const std::vector<std::size_t>& asked, const ByteMixture& mixture, const ProbableText& ahead) {
    tasks_.reserve(asked.size());
    for (const std::size_t model : asked) {
      laws_.push_back(all[model]);
      tasks_.push_back(all[model]->learn(ahead, mixture.negligible(model)));
      tasks_.back().start();
    }
  }
  /// What has no answer is taken back: who asks would be gone when it comes.
  ~Questions() {
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (!tasks_[i].done()) laws_[i]->withdraw();
    }
  }
  Questions(const Questions&) = delete;
  Questions& operator=(const Questions&) = delete;

  std::vector<Task<bool>>& tasks() { return tasks_; }

 private:
  std::vector<ByteLaw*> laws_;
  std::vector<Task<bool>> tasks_;
};

/// The model whose answer may matter most: what it leaves open counts most. With it those that are on their own and matter at least half as
/// much, since they answer at the same time.
std::vector<std::size_t> worth_asking(const std::vector<ByteLaw*>& laws, const ByteMixture& mixture) {
  const auto weight = [&](std::size_t i) {
    const ByteLaw::Bounds& bounds = laws[i]->bounds();
    return bounds.open > 0 ? mixture.influence(i) * bounds.open / (bounds.open + bounds.total) : -1;
  };
  std::size_t most = 0;
  for (std::size_t i = 1; i < laws.size(); ++i) {
    if (weight(i) > weight(most)) most = i;
  }
  std::vector<std::size_t> worth{most};
  for (std::size_t i = 0; i < laws.size(); ++i) {
    if (i != most && laws[i]->apart() && weight(i) >= weight(most) / 2) worth.push_back(i);
  }
  return worth;
}

/// R47: the answer is UTF-8 at any time, and ends behind whole characters.
Allowed allowed_behind(const Utf8Stream& characters) {
  Allowed allowed;
  for (std::size_t symbol = 0; symbol < end_symbol; ++symbol) allowed[symbol] = characters.takes(static_cast<unsigned char>(symbol));
  allowed[end_symbol] = !characters.pending();
  return allowed;
}

/// Bytes that are guessed at once: longer than nearly every token.
constexpr std::size_t most_guessed = 16;

/// How the text probably goes on, up to the end of the tokens that are under way, by what the models have said already. Nothing is asked,
/// and no decision depends on it.
ProbableText probable_text(const std::vector<ByteLaw*>& laws, const SymbolChooser& chooser, Utf8Stream characters,
                           std::vector<Token> context, ContextKeys keys) {
  ProbableText text;
  // What the first model has not said is not to be guessed from those that only correct it.
  if (laws[0]->bounds().total == 0) return text;
  std::vector<Outlook> outlooks;
  for (const ByteLaw* law : laws) outlooks.push_back(law->outlook());
  std::vector<ByteLaw::Bounds> said(laws.size());
  std::vector<const ByteLaw::Bounds*> pointers;
  for (const ByteLaw::Bounds& one : said) pointers.push_back(&one);
  while (text.bytes.size() < most_guessed) {
    for (std::size_t i = 0; i < laws.size(); ++i) {
      said[i].known = outlooks[i].masses();
      said[i].total = std::accumulate(said[i].known.begin(), said[i].known.end(), 0.0);
    }
    if (std::none_of(said.begin(), said.end(), [](const ByteLaw::Bounds& one) { return one.speaks(); })) break;
    Allowed allowed = allowed_behind(characters);
    allowed[end_symbol] = true;
    const std::optional<ChosenSymbol> chosen = chooser.choose(pointers, allowed, keys.of(context, context.size()));
    if (!chosen || chosen->symbol == end_symbol) break;
    const auto byte = static_cast<unsigned char>(chosen->symbol);
    const char letter = static_cast<char>(byte);
    text.bytes += letter;
    context.push_back(static_cast<Token>(byte));
    std::string shown;
    characters.feed(std::string_view(&letter, 1), shown);
    double ends = 0;
    for (Outlook& outlook : outlooks) {
      outlook.go_on(byte);
      ends = std::max(ends, outlook.ended());
    }
    text.ends.push_back(ends);
  }
  return text;
}

/// R48: what the text so far takes in tokens of the first model. The last token grows with the text, so the budget is used up only where
/// another one would begin.
class Budget {
 public:
  Budget(const ByteLaw& law, std::size_t tokens, Answer& answer) : law_(law), from_(law.tokens()), tokens_(tokens), answer_(answer) {}

  std::size_t used() const { return law_.tokens() - std::min(from_, law_.tokens()); }
  bool exceeded() const { return used() > tokens_; }
  /// Notes what is used, without using up the last token.
  void note() { spend(std::min(used(), tokens_ - 1)); }
  /// The answer has ended: what it took is what its text takes.
  void close(std::size_t used) { spend(std::min(used, tokens_)); }

 private:
  void spend(std::size_t used) {
    if (used <= spent_) return;
    answer_.spend(used - spent_, Source::mix);
    spent_ = used;
  }

  const ByteLaw& law_;
  std::size_t from_;
  std::size_t tokens_;
  Answer& answer_;
  std::size_t spent_ = 0;
};

}  // namespace

Task<StopReason> decode_bytes(std::vector<ByteLaw*> laws, const SymbolChooser& chooser, std::vector<Token> prompt, std::size_t budget,
                              Answer& answer, Record& record) {
  std::vector<const ByteLaw::Bounds*> bounds;
  for (const ByteLaw* law : laws) bounds.push_back(&law->bounds());
  // The noise is a function of the prompt and of the answer's bytes.
  std::vector<Token> context = std::move(prompt);
  ContextKeys keys;
  Budget tokens(*laws[0], budget, answer);
  Utf8Stream characters;
  /// Of the bytes of a character.
  float probability = 1;
  answer.open_round(By::none);
  while (true) {
    const Allowed allowed = allowed_behind(characters);
    const std::uint64_t key = keys.of(context, context.size());
    std::optional<ChosenSymbol> chosen;
    ProbableText ahead;
    while (!(chosen = chooser.choose(bounds, allowed, key))) {
      // More is known of each model than at the one before, but seldom of what the text becomes.
      if (ahead.bytes.empty()) ahead = probable_text(laws, chooser, characters, context, keys);
      Questions questions(laws, worth_asking(laws, chooser.mixture()), chooser.mixture(), ahead);
      for (Task<bool>& question : questions.tasks()) co_await question.joined();
    }
    record.mixed(chosen->margin < chooser.tolerance());
    if (chosen->symbol == end_symbol) {
      tokens.close(tokens.used());
      co_return StopReason::end;
    }
    const auto byte = static_cast<unsigned char>(chosen->symbol);
    for (ByteLaw* law : laws) law->append(byte);
    context.push_back(static_cast<Token>(byte));
    probability *= chosen->probability;
    std::string shown;
    const char letter = static_cast<char>(byte);
    characters.feed(std::string_view(&letter, 1), shown);
    if (shown.empty()) continue;
    if (tokens.exceeded()) {
      tokens.close(budget);
      co_return StopReason::length;
    }
    answer.add_token(shown, Source::mix, std::exchange(probability, 1.0F));
    if (answer.ended()) {
      tokens.close(tokens.used());
      co_return *answer.ended();
    }
    tokens.note();
    co_await checked(answer);
    if (answer.ended()) co_return *answer.ended();
  }
}

}  // namespace nudging
