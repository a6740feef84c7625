#pragma once

#include <cstddef>
#include <cstdint>

namespace nudging {

/// What is decoded before anybody waits for it.
enum class AheadOf : std::uint8_t {
  /// What a model will say next, one token a pass, before it is asked: worth it if what is likely to be saved, while one pass of those who
  /// wait takes place, is more than what that pass takes longer.
  answers,
  /// Questions of a draft that is not complete. Once it is, one pass would answer all of them together, so they must cost nobody anything:
  /// on one H100 a base that read along took 0.77 passes a token instead of 0.36, and the draft's passes 1.8 times as long
  /// (docs/gpu.md).
  questions,
};

/// What a lane's small passes cost alone and beside another lane's, and how often what it decoded ahead was asked for: what it takes to
/// weigh work that nobody waits for yet. Two models on one GPU slow each other down. Owned by the scheduler's thread.
class Company {
 public:
  /// Largest pass that counts, in tokens: larger ones are so different that their times say nothing here.
  static constexpr std::size_t most_tokens = 4;

  /// Somebody asks, and waits for the answer if it is not known.
  void asked() { ++asked_; }
  /// A pass of `tokens` tokens took `ms`, beside a pass of another lane or not. `waited`: somebody waited for it.
  void passed(std::size_t tokens, double ms, bool beside, bool waited);
  /// So many answers were decoded ahead.
  void decoded_ahead(std::size_t answers);
  /// One of them was asked for.
  void used_ahead();

  /// Whether it pays that `ahead` decodes what nobody waits for while somebody waits for `waited`. True as long as too little is known, and
  /// now and then to find out whether it still holds.
  friend bool pays_ahead(Company& ahead, const Company& waited, AheadOf what);

 private:
  struct Mean {
    double value = 0;
    std::uint32_t seen = 0;
    void add(double one);
    bool known() const;
  };
  Mean alone_;
  Mean beside_;
  /// Questions between one pass that somebody waited for and the next: what such a pass is good for.
  Mean answers_;
  std::size_t asked_ = 0;
  double ahead_ = 0;
  double used_ = 0;
  /// Passes that somebody waited for; and how many of the other lane there were when it was last tried to decode ahead.
  std::uint64_t waited_ = 0;
  std::uint64_t tried_at_ = 0;
};

bool pays_ahead(Company& ahead, const Company& waited, AheadOf what);

}  // namespace nudging
