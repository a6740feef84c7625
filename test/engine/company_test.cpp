#include "lanes/company.h"

#include "check.h"

using namespace nudging;

namespace {

/// A lane of which so much is known: milliseconds of a pass alone and beside another, and how many of ten answers decoded ahead are of use.
Company known(double alone, double beside, int used_of_ten, int questions = 1) {
  Company company;
  for (int i = 0; i < 20; ++i) {
    for (int k = 0; k < questions; ++k) company.asked();
    company.passed(1, alone, false, true);
    for (int k = 0; k < questions; ++k) company.asked();
    company.passed(1, beside, true, true);
  }
  for (int i = 0; i < 100; ++i) {
    company.decoded_ahead(1);
    if (i % 10 < used_of_ten) company.used_ahead();
  }
  return company;
}

bool pays(Company ahead, const Company& waited, AheadOf what = AheadOf::answers) { return pays_ahead(ahead, waited, what); }

}  // namespace

TEST("company: lanes that do not slow each other down decode ahead, whatever it is good for") {
  CHECK(pays(known(8, 8, 1), known(2, 2, 0)));
  CHECK(pays(known(2, 2, 1), known(8, 8, 0)));
}

TEST("company: work ahead is weighed against what it costs those who wait") {
  // A base pass of 8 ms that is of use half of the time, while a draft's pass takes 4 instead of 2: 0.5 * 8 * 4 / 8 = 2 are saved for 2.
  CHECK(pays(known(8, 8, 6), known(2, 4, 0)));
  CHECK(!pays(known(8, 8, 4), known(2, 4, 0)));
  // Where each pass answers three questions, an answer is worth a third of it.
  CHECK(!pays(known(8, 8, 6, 3), known(2, 4, 0)));
  // An aligned model that is always right while the base takes a tenth longer.
  CHECK(pays(known(2, 3, 9), known(8, 9, 0)));
  CHECK(!pays(known(2, 3, 1), known(8, 9, 0)));
}

TEST("company: a draft is not slowed down by questions about it, however useful") {
  CHECK(pays(known(8, 8, 9), known(2, 2.1, 0), AheadOf::questions));
  CHECK(!pays(known(8, 8, 9), known(2, 2.4, 0), AheadOf::questions));
  CHECK(pays(known(8, 8, 9), Company(), AheadOf::questions));
}

TEST("company: what is not known yet is tried, and what does not pay is tried now and then") {
  CHECK(pays(Company(), known(2, 9, 0)));
  Company ahead = known(8, 16, 0);
  Company waited = known(2, 9, 0);
  int tried = 0;
  for (int i = 0; i < 2560; ++i) {
    waited.passed(1, i % 2 == 0 ? 2 : 9, i % 2 != 0, true);
    tried += pays_ahead(ahead, waited, AheadOf::answers) ? 1 : 0;
  }
  CHECK_EQUAL(tried, 10);
}

TEST("company: large passes say nothing of small ones") {
  Company ahead = known(8, 8, 4);
  for (int i = 0; i < 100; ++i) ahead.passed(200, 1000, false, false);
  CHECK(!pays_ahead(ahead, known(2, 4, 0), AheadOf::answers));
}
