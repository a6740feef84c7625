// Every weight type in every kind of CPU buffer that this machine has, against exact arithmetic.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "backend/cpu_buffers.h"
#include "backend/log.h"
#include "check.h"
#include "trust/kernel_check.h"
#include "trust/known_product.h"

using namespace nudging;

namespace {

constexpr std::int64_t most_columns = 32;

struct Shape {
  std::int64_t length;
  std::int64_t rows;
};

/// Whole and partial tiles, one block and several, odd numbers of rows, and rows that divide by what AMX (32) and repacked kernels (4, 8,
/// 16) need.
constexpr std::array shapes = {Shape{512, 96}, Shape{256, 40}, Shape{768, 33}, Shape{1280, 32},
                               Shape{96, 72},  Shape{288, 7},  Shape{256, 1}};
constexpr const char* table_head =
    "| weights | buffer | differs from the column alone at | differs from 32 columns at | 2 threads differ from 1 |\n"
    "| --- | --- | --- | --- | --- |\n";
/// What the table of batch invariance is about.
constexpr Shape usual = shapes[0];

std::vector<ggml_type> weight_types() {
  std::vector<ggml_type> types;
  for (int i = 0; i < GGML_TYPE_COUNT; ++i) {
    if (has_known_product(static_cast<ggml_type>(i))) types.push_back(static_cast<ggml_type>(i));
  }
  return types;
}

std::vector<ggml_backend_buffer_type_t> cpu_buffers() {
  std::vector<ggml_backend_buffer_type_t> buffers = extra_cpu_buffers();
  buffers.insert(buffers.begin(), ggml_backend_cpu_buffer_type());
  return buffers;
}

/// For which numbers of columns a column is not, bit by bit, what it is elsewhere.
struct Variance {
  /// From the column alone.
  std::vector<std::int64_t> from_alone;
  /// From the product with most columns.
  std::vector<std::int64_t> from_most;
};

/// `product` answers for 1 to `most_columns` columns.
Variance variance_of(const std::vector<std::vector<float>>& results, const std::vector<std::vector<float>>& alone, std::int64_t rows) {
  Variance variance;
  const auto height = static_cast<std::size_t>(rows);
  const auto same = [&](const float* one, const float* other) { return std::memcmp(one, other, height * sizeof(float)) == 0; };
  for (std::size_t columns = 1; columns <= results.size(); ++columns) {
    bool as_alone = true;
    bool as_most = true;
    for (std::size_t column = 0; column < columns; ++column) {
      const float* here = results[columns - 1].data() + column * height;
      as_alone = as_alone && same(here, alone[column].data());
      as_most = as_most && same(here, results.back().data() + column * height);
    }
    if (!as_alone) variance.from_alone.push_back(static_cast<std::int64_t>(columns));
    if (!as_most) variance.from_most.push_back(static_cast<std::int64_t>(columns));
  }
  return variance;
}

/// One column of a product as a product of its own.
KnownProduct column_of(const KnownProduct& product, std::int64_t column) {
  KnownProduct one = product;
  one.columns = 1;
  const auto begin = product.activations.begin() + column * product.length;
  one.activations.assign(begin, begin + product.length);
  return one;
}

std::vector<std::vector<float>> of_all_widths(const Kernel& kernel, const KnownProduct& product, int threads,
                                              const Multiply& multiply = nudging::multiply) {
  std::vector<std::vector<float>> results;
  for (std::int64_t columns = 1; columns <= product.columns; ++columns) {
    std::optional<std::vector<float>> result = multiply(kernel, product, columns, threads);
    if (!result) break;
    results.push_back(std::move(*result));
  }
  return results;
}

std::vector<std::vector<float>> alone(const Kernel& kernel, const KnownProduct& product, const Multiply& multiply = nudging::multiply) {
  std::vector<std::vector<float>> results;
  for (std::int64_t column = 0; column < product.columns; ++column) {
    std::optional<std::vector<float>> result = multiply(kernel, column_of(product, column), 1, 1);
    if (result) results.push_back(std::move(*result));
  }
  return results;
}

/// Such as "2-8,10"; "none" for an empty list.
std::string ranges(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(numbers[i]) + (last > i ? "-" + std::to_string(numbers[last]) : "");
    i = last + 1;
  }
  return text.empty() ? "none" : text;
}

}  // namespace

TEST("kernels: every weight type in every CPU buffer is what exact arithmetic says") {
  capture_log();
  std::map<std::string, int> seen;
  for (const ggml_type type : weight_types()) {
    for (const Shape& shape : shapes) {
      if (shape.length % ggml_blck_size(type) != 0) continue;
      const KnownProduct product = make_known_product(type, shape.length, shape.rows, most_columns);
      for (const ggml_backend_buffer_type_t buffer : cpu_buffers()) {
        const Kernel kernel{buffer, type};
        for (const int threads : {1, 2}) {
          for (std::int64_t columns = 1; columns <= most_columns; ++columns) {
            // How rows are shared out shows in a few products. On a busy machine two threads that wait for each other take long.
            if (threads > 1 && (shape.rows < 33 || shape.length == 256)) continue;
            if (threads > 1 && columns != 1 && columns != 5 && columns != most_columns) continue;
            const std::optional<std::vector<float>> results = multiply(kernel, product, columns, threads);
            if (!results) break;
            ++seen[ggml_backend_buft_name(buffer)];
            const Deviation deviation = deviation_of(*results, product);
            if (deviation.is_explained()) continue;
            ++check::failures;
            std::cout << name_of(kernel) << ", " << shape.rows << " rows of " << shape.length << ", " << columns << " columns, " << threads
                      << " threads: off by " << deviation.worst << " standard deviations, " << deviation.overall << " overall\n";
          }
        }
      }
    }
  }
  for (const ggml_backend_buffer_type_t buffer : cpu_buffers()) CHECK(seen[ggml_backend_buft_name(buffer)] > 100);
  CHECK(weight_types().size() >= 25);
}

TEST("kernels: a table of where the number of columns changes the bits of one") {
  const bool shown = std::getenv("NUDGING_KERNEL_TABLE") != nullptr;
  if (shown) std::cout << table_head;
  int rows = 0;
  for (const ggml_type type : weight_types()) {
    const KnownProduct product = make_known_product(type, usual.length, usual.rows, most_columns);
    for (const ggml_backend_buffer_type_t buffer : cpu_buffers()) {
      const Kernel kernel{buffer, type};
      const std::vector<std::vector<float>> results = of_all_widths(kernel, product, 1);
      if (results.empty()) continue;
      const Variance variance = variance_of(results, alone(kernel, product), product.rows);
      // One column is what it is alone: the same call twice gives the same bits, or nothing in the table means anything.
      CHECK(std::ranges::find(variance.from_alone, 1) == variance.from_alone.end());
      CHECK(std::ranges::find(variance.from_most, most_columns) == variance.from_most.end());
      ++rows;
      if (!shown) continue;
      const bool threads_matter = of_all_widths(kernel, product, 2) != results;
      std::cout << "| " << ggml_type_name(type) << " | " << ggml_backend_buft_name(buffer) << " | " << ranges(variance.from_alone) << " | "
                << ranges(variance.from_most) << " | " << (threads_matter ? "yes" : "no") << " |\n";
    }
  }
  CHECK(rows > 25);
}

TEST("kernels: in deterministic contexts a column is the same to the bit alone and beside any others") {
  capture_log();
  int kernels = 0;
  for (const ggml_type type : weight_types()) {
    for (const Shape& shape : {shapes[0], shapes[1], shapes[3]}) {
      const KnownProduct product = make_known_product(type, shape.length, shape.rows, most_columns);
      for (const ggml_backend_buffer_type_t buffer : cpu_buffers()) {
        const Kernel kernel{buffer, type};
        const std::vector<std::vector<float>> results = of_all_widths(kernel, product, 1, multiply_batch_invariantly);
        if (results.empty()) continue;
        ++kernels;
        const Variance variance = variance_of(results, alone(kernel, product, multiply_batch_invariantly), product.rows);
        if (!variance.from_alone.empty()) {
          ++check::failures;
          std::cout << name_of(kernel) << ", " << shape.rows << " rows: differs at " << ranges(variance.from_alone) << " columns\n";
        }
        // The check at load must come to the same end.
        CHECK(treats_columns_alike(kernel) == variance.from_alone.empty());
        if (shape.length == usual.length) CHECK(multiply_batch_invariantly(kernel, product, most_columns, 2) == results.back());
      }
    }
  }
  CHECK(kernels > 60);
}

TEST("kernels: a kernel that depends on the number of columns is found out") {
  // As repacked Q4_K was: what is left over of fours is added up in another order.
  const Multiply otherwise = [](const Kernel& kernel, const KnownProduct& product, std::int64_t columns, int threads) {
    std::optional<std::vector<float>> results = multiply_batch_invariantly(kernel, product, columns, threads);
    if (columns % 4 != 0) results->back() = std::nextafter(results->back(), 1e9F);
    return results;
  };
  const Kernel plain{ggml_backend_cpu_buffer_type(), GGML_TYPE_Q4_K};
  CHECK(treats_columns_alike(plain));
  CHECK(!treats_columns_alike(plain, otherwise));
}

TEST("kernels: a difference in one bit of one column is seen") {
  const std::vector<std::vector<float>> alone = {{1, 2}, {3, 4}, {5, 6}};
  CHECK_EQUAL(ranges(variance_of({{1, 2}, {1, 2, 3, 4}, {1, 2, 3, 4, 5, 6}}, alone, 2).from_alone), std::string("none"));
  const Variance variance = variance_of({{1, 2}, {1, 2, 3, 4}, {1, 2, 3, 4.0000005F, 5, 6}}, alone, 2);
  CHECK_EQUAL(ranges(variance.from_alone), std::string("3"));
  CHECK_EQUAL(ranges(variance.from_most), std::string("2"));
  CHECK_EQUAL(ranges({1, 2, 3, 5, 7, 8}), std::string("1-3,5,7-8"));
}

TEST("kernels: what the check calls right is as far off as rounding makes it, and what it calls wrong is wrong") {
  const Kernel plain{ggml_backend_cpu_buffer_type(), GGML_TYPE_Q4_K};
  const KnownProduct product = make_known_product(GGML_TYPE_Q4_K, 512, 96, 32);
  const std::vector<float> right = multiply(plain, product, 32, 1).value();
  // The tolerance is not generous: it stands at what is there.
  const Deviation deviation = deviation_of(right, product);
  CHECK(deviation.overall > 0.7);
  CHECK(deviation.overall < 1.2);
  CHECK(deviation.is_explained());
  // One result of three thousand, by a tenth of what is usual.
  std::vector<float> wrong = right;
  wrong[1234] += 2.0F;
  CHECK(!deviation_of(wrong, product).is_explained());
  // All of them by one per cent of what they are.
  wrong = right;
  for (float& each : wrong) each *= 1.01F;
  CHECK(!deviation_of(wrong, product).is_explained());
  // Rubbish, nothing, and columns in another's place.
  wrong = right;
  wrong[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK(!deviation_of(wrong, product).is_explained());
  CHECK(!deviation_of(std::vector<float>(right.size()), product).is_explained());
  wrong = right;
  std::rotate(wrong.begin(), wrong.begin() + 96, wrong.end());
  CHECK(!deviation_of(wrong, product).is_explained());
}

TEST("kernels: a wrong kernel does not give the known answer, the real ones do") {
  for (const Kernel& kernel : extra_kernels()) {
    CHECK(gives_known_answer(kernel, 1));
    CHECK(gives_known_answer(kernel, 2));
  }
  const Kernel plain{ggml_backend_cpu_buffer_type(), GGML_TYPE_Q4_0};
  CHECK(gives_known_answer(plain, 1));
  // Wrong in the last column of a batch only, as a kernel for what is left over would be.
  const Multiply in_the_rest = [](const Kernel& kernel, const KnownProduct& product, std::int64_t columns, int threads) {
    std::optional<std::vector<float>> results = multiply(kernel, product, columns, threads);
    if (columns > 1) results->back() = 0;
    return results;
  };
  CHECK(!gives_known_answer(plain, 1, in_the_rest));
  // Wrong for one column only.
  const Multiply of_one = [](const Kernel& kernel, const KnownProduct& product, std::int64_t columns, int threads) {
    std::optional<std::vector<float>> results = multiply(kernel, product, columns, threads);
    if (columns == 1) std::ranges::rotate(*results, results->begin() + 1);
    return results;
  };
  CHECK(!gives_known_answer(plain, 1, of_one));
}
