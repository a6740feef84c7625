#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "bytes/symbols.h"
#include "bytes/token_order.h"

namespace nudging {

/// All the ways in which a model may have come to a text that grows byte by byte: its valid covers (semantics.md, R41, R42).
///
/// A node is a place in the text up to which it is spelled in tokens. It stands for all covers through it: the last token begins at the
/// node and reaches over the end of the text, or leads to another node. Which nodes there are depends on the vocabulary alone. What weight
/// they have comes from the model, node by node, as far as somebody wants to know: a node that has not been asked about takes no more than
/// the weight with which it was reached, whatever the model says there.
///
/// Weights are relative to the root, the last place that all covers have in common. The tokens in front of it are the trunk.
class CoverTree {
 public:
  struct Node;

  explicit CoverTree(const TokenOrder& order);
  ~CoverTree();
  CoverTree(const CoverTree&) = delete;
  CoverTree& operator=(const CoverTree&) = delete;

  /// Begins behind a text that is spelled so, and not otherwise.
  void start(std::span<const Token> trunk);

  /// The text grows by a byte. `valid`: the spellings of the whole text with it that count (R42); null where it ends inside a character and
  /// has none. Of the covers that end there, only those stay.
  void grow(unsigned char byte, const std::vector<std::vector<Token>>* valid);

  /// True if no cover is left.
  bool empty() const { return nodes_.empty(); }

  /// The weight of the covers that go on with each symbol, as far as it is known; those through nodes that were not asked about have at
  /// most `open` together.
  struct Weights {
    Masses known{};
    double open = 0;
  };
  Weights weights() const;

  /// Tokens that may be under way at the end of the text: they begin at a node that was asked about.
  struct Strand {
    /// Those that have this beginning in common, and go on behind it.
    TokenOrder::Range range;
    /// Bytes of theirs that the text has.
    std::size_t depth = 0;
    /// What the covers up to the node weigh.
    double weight = 0;
    /// Of each token of the range, behind the node.
    std::span<const double> probabilities;
  };
  /// Valid until the tree grows or knows more.
  std::vector<Strand> strands() const;

  /// Of the nodes that were not asked about, the one with the greatest weight; of equals, the first one. Null if there is none of which the
  /// weight is known and above 0. Valid until the tree grows.
  Node* heaviest_open() const;
  /// All that were not asked about and may be asked, in the order of the text.
  std::vector<Node*> open() const;
  /// What the covers up to an open node weigh.
  double weight(const Node& node) const;
  /// Whether a cover comes to a place by these tokens.
  bool leads_by(std::span<const Token> tokens) const;
  /// The tokens up to a node.
  std::vector<Token> context(const Node& node) const;
  /// What the model says there: the logits of its vocabulary.
  void resolve(Node& node, std::span<const float> logits);

  std::span<const Token> trunk() const { return trunk_; }
  std::size_t nodes() const { return nodes_.size(); }

 private:
  bool is_path(const Node& node, std::span<const Token> tokens) const;
  void narrow(Node& node, unsigned char byte);
  void add_child(Node& parent, std::size_t place);
  void drop_dead();
  void advance_trunk();
  void tally(Node& node) const;
  std::vector<std::optional<double>> reached() const;

  const TokenOrder& order_;
  std::vector<Token> trunk_;
  /// Parents in front of their children. The first one is the root.
  std::vector<std::unique_ptr<Node>> nodes_;
  /// Bytes since `start`.
  std::size_t length_ = 0;
};

}  // namespace nudging
