#include "bytes/byte_law.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace nudging {

namespace {

/// Whether a text ends with white space as Unicode has it (White_Space).
bool ends_in_space(std::string_view text) {
  constexpr std::array<std::string_view, 25> spaces{
      " ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
      "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};
  return std::any_of(spaces.begin(), spaces.end(), [text](std::string_view space) { return text.ends_with(space); });
}

/// What may stand behind white space and decide how it is spelled: tokenizers tell letters, digits and other signs apart.
constexpr std::array<char, 3> followers{'a', '0', '!'};

}  // namespace

ByteLaw::ByteLaw(Lane& lane, Spelling& spelling) : lane_(lane), spelling_(spelling), tree_(spelling.order()) {
  const std::string_view beginning = spelling.beginning();
  const std::size_t settled = spelling.settled();
  text_ = beginning.substr(0, settled);
  tokens_ = spelling.spell(text_).size();
  tree_.start(spelling.spell(text_));
  // The space that every text is given in front is part of what the tokens show. No text is that space alone, so a spelling of it is only
  // checked once more has followed.
  if (settled == 0 && spelling.prefixes_space()) tree_.grow(' ', nullptr);
  for (const char byte : beginning.substr(settled)) feed(static_cast<unsigned char>(byte));
  restarts_ = 0;
  update();
}

void ByteLaw::append(unsigned char byte) {
  feed(byte);
  update();
}

void ByteLaw::feed(unsigned char byte) {
  text_ += static_cast<char>(byte);
  std::string shown;
  characters_.feed(text_.substr(text_.size() - 1), shown);
  if (characters_.pending()) {
    tree_.grow(byte, nullptr);
    return;
  }
  const auto spelled = spelled_.find(text_);
  // A text that nobody guessed: what was guessed has come to its end, or was wrong.
  if (spelled == spelled_.end()) spelled_.clear();
  const Spellings valid = spelled == spelled_.end() ? valid_spellings(text_) : std::move(spelled->second);
  tokens_ = valid[0].size();
  tree_.grow(byte, &valid);
  if (tree_.empty()) {
    tree_.start(valid[0]);
    ++restarts_;
  }
  recall();
}

/// Tells the tree what the model has said already of the places that have opened.
void ByteLaw::recall() {
  if (foretold_.empty()) return;
  for (CoverTree::Node* node : tree_.open()) {
    const std::vector<Token> context = tree_.context(*node);
    const auto known = std::find_if(foretold_.begin(), foretold_.end(), [&](const Foretold& one) { return one.place.tokens == context; });
    if (known == foretold_.end()) continue;
    tree_.resolve(*node, known->logits);
    foretold_.erase(known);
  }
  // What the text has left behind was a wrong guess.
  std::erase_if(foretold_, [this](const Foretold& one) { return one.place.length <= text_.size(); });
}

/// The canonical spelling, and those that white space at the end has if something follows it.
ByteLaw::Spellings ByteLaw::valid_spellings(const std::string& text) {
  Spellings valid{spelling_.spell(text)};
  if (!ends_in_space(text)) return valid;
  const TokenOrder& order = spelling_.order();
  for (const char follower : followers) {
    const std::vector<Token>& longer = spelling_.spell(text + follower);
    const std::size_t place = longer.empty() ? TokenOrder::nowhere : order.place(longer.back());
    if (place == TokenOrder::nowhere || order.bytes(place) != std::string_view(&follower, 1)) continue;
    valid.emplace_back(longer.begin(), longer.end() - 1);
  }
  return valid;
}

void ByteLaw::update() {
  const auto measure = [this] {
    const CoverTree::Weights weights = tree_.weights();
    bounds_ = {weights.known, std::accumulate(weights.known.begin(), weights.known.end(), 0.0), weights.open};
  };
  measure();
  if (bounds_.speaks() || characters_.pending()) return;
  // What is left is impossible to the model: another one has said it, or the request bans it.
  const std::vector<Token>& canonical = spelling_.spell(text_);
  if (tree_.nodes() == 1 && std::ranges::equal(tree_.trunk(), canonical)) return;
  tree_.start(canonical);
  ++restarts_;
  measure();
}

const ByteLaw::Spellings& ByteLaw::spellings_ahead(const std::string& text) {
  const auto known = spelled_.find(text);
  return known != spelled_.end() ? known->second : spelled_.emplace(text, valid_spellings(text)).first->second;
}

/// The contexts of all places that are open, the heaviest first, and of those that open on the way along `ahead`.
std::vector<ByteLaw::Place> ByteLaw::places_along(const ProbableText& ahead, double negligible) {
  std::vector<Place> places;
  std::string text = text_;
  const auto leads_by = [&](std::span<const Token> tokens) {
    return std::any_of(places.begin(), places.end(), [&](const Place& place) { return std::ranges::equal(place.tokens, tokens); });
  };
  const auto add = [&](const std::vector<Token>& tokens) {
    if (!leads_by(tokens)) places.push_back({tokens, text.size()});
  };
  if (CoverTree::Node* heaviest = tree_.heaviest_open()) add(tree_.context(*heaviest));
  if (ahead.bytes.empty()) return places;
  for (const CoverTree::Node* node : tree_.open()) {
    if (tree_.weight(*node) >= negligible * (bounds_.total + bounds_.open)) add(tree_.context(*node));
  }
  Utf8Stream characters = characters_;
  Outlook known = outlook();
  for (std::size_t i = 0; i < ahead.bytes.size(); ++i) {
    const std::string_view byte = std::string_view(ahead.bytes).substr(i, 1);
    text += byte;
    known.go_on(static_cast<unsigned char>(byte[0]));
    std::string shown;
    characters.feed(byte, shown);
    if (characters.pending() || known.ended(ahead.ends[i]) < negligible) continue;
    for (const std::vector<Token>& spelled : spellings_ahead(text)) {
      if (spelled.empty()) continue;
      const std::span<const Token> before(spelled.data(), spelled.size() - 1);
      if (leads_by(before) || tree_.leads_by(before)) add(spelled);
    }
  }
  return places;
}

/// `places`: of `places_along`; none if nothing is open.
Task<bool> ByteLaw::ask(std::vector<Place> places) {
  CoverTree::Node* node = tree_.heaviest_open();
  if (node == nullptr) co_return false;
  spelling_.set_tokens(places[0].tokens);
  places.erase(places.begin());
  // What a guess before this one has asked about, and the text may still come to.
  std::erase_if(places, [this](const Place& place) {
    return std::any_of(foretold_.begin(), foretold_.end(), [&](const Foretold& one) { return one.place.tokens == place.tokens; });
  });
  std::vector<std::vector<Token>> contexts;
  contexts.reserve(places.size());
  for (const Place& place : places) contexts.push_back(place.tokens);
  spelling_.take_along(std::move(contexts));
  tree_.resolve(*node, co_await lane_.distribution());
  ++asked_;
  std::vector<std::vector<float>> said = spelling_.taken_along();
  for (std::size_t i = 0; i < said.size(); ++i) {
    if (!said[i].empty()) foretold_.push_back({std::move(places[i]), std::move(said[i])});
  }
  recall();
  update();
  co_return true;
}

Task<Masses> ByteLaw::exact() {
  while (bounds_.open > 0) co_await learn();
  Masses probabilities = bounds_.known;
  if (bounds_.total > 0) {
    for (double& one : probabilities) one /= bounds_.total;
  }
  co_return probabilities;
}

}  // namespace nudging
