#include "bytes/cover_tree.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "choice/top1.h"

namespace nudging {

struct CoverTree::Node {
  Node* parent = nullptr;
  /// The token that leads here, and how probable it is behind the parent; nothing as long as the parent was not asked about.
  Token token = -1;
  std::optional<double> probability;
  /// How many tokens of the path lie behind the trunk.
  std::size_t depth = 0;
  /// Bytes since `start` that lie in front of it.
  std::size_t at = 0;
  /// Tokens that begin here and reach over the end of the text.
  TokenOrder::Range range;
  /// Their probabilities, and of the end of the generation; only once it was asked about.
  bool asked = false;
  std::vector<double> probabilities;
  double end = 0;
  /// The same, added up by what follows.
  Masses next{};
  std::size_t children = 0;
};

namespace {

/// Below this, `exponentials` says 0, or soon will.
constexpr float tiny = 1e-30F;

}  // namespace

CoverTree::CoverTree(const TokenOrder& order) : order_(order) {}
CoverTree::~CoverTree() = default;

void CoverTree::start(std::span<const Token> trunk) {
  trunk_.assign(trunk.begin(), trunk.end());
  nodes_.clear();
  length_ = 0;
  auto root = std::make_unique<Node>();
  root->range = order_.all();
  nodes_.push_back(std::move(root));
}

/// Whether `tokens` are the trunk and the path to the node.
bool CoverTree::is_path(const Node& node, std::span<const Token> tokens) const {
  if (tokens.size() != trunk_.size() + node.depth) return false;
  std::size_t left = tokens.size();
  for (const Node* one = &node; one->parent != nullptr; one = one->parent) {
    if (tokens[--left] != one->token) return false;
  }
  return std::equal(trunk_.begin(), trunk_.end(), tokens.begin());
}

void CoverTree::add_child(Node& parent, std::size_t place) {
  auto child = std::make_unique<Node>();
  child->parent = &parent;
  child->token = order_.token(place);
  if (parent.asked) child->probability = parent.probabilities[place - parent.range.begin];
  child->depth = parent.depth + 1;
  child->at = length_;
  child->range = order_.all();
  ++parent.children;
  nodes_.push_back(std::move(child));
}

/// Keeps the tokens that go on with `byte`; `length_` does not count it yet.
void CoverTree::narrow(Node& node, unsigned char byte) {
  const TokenOrder::Range range = order_.narrow(node.range, length_ - node.at, byte);
  if (node.asked) {
    const auto from = node.probabilities.begin() + static_cast<std::ptrdiff_t>(range.begin - node.range.begin);
    node.probabilities = std::vector<double>(from, from + static_cast<std::ptrdiff_t>(range.size()));
  }
  node.range = range;
}

void CoverTree::grow(unsigned char byte, const std::vector<std::vector<Token>>* valid) {
  for (const auto& node : nodes_) narrow(*node, byte);
  ++length_;
  const std::size_t before = nodes_.size();
  for (std::size_t i = 0; i < before; ++i) {
    Node& node = *nodes_[i];
    // Those that end here stand in front of all longer ones.
    std::size_t ending = 0;
    while (ending < node.range.size() && order_.length(node.range.begin + ending) == length_ - node.at) ++ending;
    for (std::size_t place = node.range.begin; place < node.range.begin + ending; ++place) {
      const auto leads_here = [&](const std::vector<Token>& spelling) {
        return !spelling.empty() && spelling.back() == order_.token(place) && is_path(node, std::span(spelling).first(spelling.size() - 1));
      };
      if (valid == nullptr || std::any_of(valid->begin(), valid->end(), leads_here)) add_child(node, place);
    }
    node.range.begin += ending;
    if (!node.asked) continue;
    node.probabilities.erase(node.probabilities.begin(), node.probabilities.begin() + static_cast<std::ptrdiff_t>(ending));
    tally(node);
  }
  drop_dead();
  advance_trunk();
}

/// Nodes that nothing reaches over the end of the text from.
void CoverTree::drop_dead() {
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    Node& node = *nodes_[i];
    if (!node.range.empty() || node.children > 0) continue;
    if (node.parent != nullptr) --node.parent->children;
    nodes_.erase(nodes_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

/// A root from which all covers go to one and the same node is none: that node is.
void CoverTree::advance_trunk() {
  while (!nodes_.empty() && nodes_[0]->range.empty() && nodes_[0]->children == 1) {
    nodes_.erase(nodes_.begin());
    // Its only child is the oldest of those that are left.
    Node& root = *nodes_[0];
    trunk_.push_back(root.token);
    root.parent = nullptr;
    root.probability.reset();
    for (const auto& node : nodes_) --node->depth;
  }
}

void CoverTree::tally(Node& node) const {
  node.next.fill(0);
  const std::size_t depth = length_ - node.at;
  for (std::size_t i = 0; i < node.range.size(); ++i) node.next[order_.byte(node.range.begin + i, depth)] += node.probabilities[i];
  if (depth == 0) node.next[end_symbol] = node.end;
}

/// The weight of each node; nothing if a node on the way was not asked about.
std::vector<std::optional<double>> CoverTree::reached() const {
  std::vector<std::optional<double>> weights(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = *nodes_[i];
    if (node.parent == nullptr) {
      weights[i] = 1;
      continue;
    }
    std::size_t parent = 0;
    while (nodes_[parent].get() != node.parent) ++parent;
    if (weights[parent] && node.probability) weights[i] = *weights[parent] * *node.probability;
  }
  return weights;
}

CoverTree::Weights CoverTree::weights() const {
  Weights sum;
  const std::vector<std::optional<double>> weights = reached();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!weights[i]) continue;
    if (!nodes_[i]->asked) {
      sum.open += *weights[i];
      continue;
    }
    for (std::size_t symbol = 0; symbol < symbol_count; ++symbol) sum.known[symbol] += *weights[i] * nodes_[i]->next[symbol];
  }
  return sum;
}

CoverTree::Node* CoverTree::heaviest_open() const {
  Node* heaviest = nullptr;
  double most = 0;
  const std::vector<std::optional<double>> weights = reached();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i]->asked || !weights[i] || *weights[i] <= most) continue;
    heaviest = nodes_[i].get();
    most = *weights[i];
  }
  return heaviest;
}

std::vector<CoverTree::Node*> CoverTree::open() const {
  std::vector<Node*> open;
  const std::vector<std::optional<double>> weights = reached();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i]->asked && weights[i] && *weights[i] > 0) open.push_back(nodes_[i].get());
  }
  return open;
}

double CoverTree::weight(const Node& node) const {
  double weight = 1;
  for (const Node* one = &node; one->parent != nullptr; one = one->parent) weight *= one->probability.value_or(0);
  return weight;
}

bool CoverTree::leads_by(std::span<const Token> tokens) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& node) { return is_path(*node, tokens); });
}

std::vector<CoverTree::Strand> CoverTree::strands() const {
  std::vector<Strand> strands;
  const std::vector<std::optional<double>> weights = reached();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = *nodes_[i];
    if (node.asked && weights[i]) strands.push_back({node.range, length_ - node.at, *weights[i], node.probabilities});
  }
  return strands;
}

std::vector<Token> CoverTree::context(const Node& node) const {
  std::vector<Token> tokens(trunk_);
  tokens.resize(trunk_.size() + node.depth);
  std::size_t left = tokens.size();
  for (const Node* one = &node; one->parent != nullptr; one = one->parent) tokens[--left] = one->token;
  return tokens;
}

void CoverTree::resolve(Node& node, std::span<const float> logits) {
  std::vector<float> weights(logits.size());
  const auto [highest, total] = exponentials(logits, weights);
  const auto probability = [&](Token token) {
    const auto i = static_cast<std::size_t>(token);
    // What a reference finds least probable is divided by, too.
    const bool is_tiny = weights[i] < tiny;
    return (is_tiny ? std::exp(static_cast<double>(logits[i]) - static_cast<double>(highest)) : static_cast<double>(weights[i])) / total;
  };
  node.asked = true;
  node.probabilities.resize(node.range.size());
  for (std::size_t i = 0; i < node.range.size(); ++i) node.probabilities[i] = probability(order_.token(node.range.begin + i));
  node.end = 0;
  for (const Token token : order_.ending()) node.end += probability(token);
  tally(node);
  for (const auto& child : nodes_) {
    if (child->parent == &node) child->probability = probability(child->token);
  }
}

}  // namespace nudging
