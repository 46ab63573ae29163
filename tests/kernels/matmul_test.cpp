// Products of every format on every instruction set against sums in double over the dequantized file blocks.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "base/half.h"
#include "kernels/operand_row.h"
#include "kernels/tested_sets.h"
#include "tensor/pack.h"
#include "tensor/with_format.h"

namespace gptj {
namespace {

constexpr double kEps = 0x1p-24;  // of one rounded F32 operation

class MatmulTest : public KernelTest {
 protected:
  /// A random [rows, n] matrix: the file's bytes, the values that they mean, and the panels.
  struct Weights {
    DType dtype;
    int rows, n;
    std::vector<uint8_t> file;
    std::vector<float> values;  // [rows][n]
    std::vector<uint8_t> panels;

    int n_panels() const { return (rows + kPanelRows - 1) / kPanelRows; }
    const float* row(int r) const { return values.data() + static_cast<size_t>(r) * static_cast<size_t>(n); }
  };

  Weights random_weights(DType dtype, int rows, int n) {
    Weights w{dtype, rows, n, {}, {}, {}};
    const size_t stride = row_bytes(dtype, n);
    w.file.resize(stride * static_cast<size_t>(rows));
    fill(dtype, w.file);
    w.values.resize(static_cast<size_t>(rows) * static_cast<size_t>(n));
    for (int r = 0; r < rows; ++r) {
      to_f32(dtype, &w.file[static_cast<size_t>(r) * stride], n,
             &w.values[static_cast<size_t>(r) * static_cast<size_t>(n)]);
    }
    const size_t panel = panel_bytes(dtype, n);
    w.panels.resize(panel * static_cast<size_t>(w.n_panels()));
    for (int p = 0; p < w.n_panels(); ++p) {
      const uint8_t* from[kPanelRows] = {};
      for (int r = 0; r < kPanelRows && p * kPanelRows + r < rows; ++r) {
        from[r] = &w.file[static_cast<size_t>(p * kPanelRows + r) * stride];
      }
      EXPECT_TRUE(pack_panel(dtype, from, n, &w.panels[static_cast<size_t>(p) * panel]));
    }
    return w;
  }

  /// Columns of random values as a product wants them, what they were, and what they mean now.
  struct Columns {
    int n;
    int64_t stride;
    std::vector<uint8_t> rows;
    std::vector<float> originals, values;  // [columns][n]

    const float* column(int c) const {
      return values.data() + static_cast<size_t>(c) * static_cast<size_t>(n);
    }
  };

  Columns random_columns(Operand operand, int columns, int n) {
    std::vector<float> originals;
    for (int c = 0; c < columns; ++c) {
      const auto x = values(n);
      originals.insert(originals.end(), x.begin(), x.begin() + n);
    }
    return packed_columns(operand, std::move(originals), n);
  }

  Columns packed_columns(Operand operand, std::vector<float> originals, int n) {
    const auto columns = static_cast<int>(originals.size()) / n;
    Columns out{n, operand_stride(operand, n), {}, std::move(originals), {}};
    out.rows.resize(static_cast<size_t>(out.stride * round_up(columns, kOperandRows)));
    out.values = out.originals;
    for (int c = 0; c < columns; ++c) {
      float* x = &out.values[static_cast<size_t>(c) * static_cast<size_t>(n)];
      if (operand == Operand::f32) {
        std::memcpy(&out.rows[static_cast<size_t>(out.stride * c)], x,
                    static_cast<size_t>(n) * sizeof(float));
      } else {
        std::vector<float> padded(x, x + n);
        padded.resize(static_cast<size_t>(round_up(n, kPanelRows)));
        table().pack[static_cast<int>(operand)](padded.data(), n, c, out.rows.data());
        for (int k = 0; k < n; ++k) x[k] = meaning(operand, out, c, k);
      }
    }
    return out;
  }

  static MatmulArgs arguments(const Weights& w, const Columns& x, int columns, std::vector<float>& y) {
    y.assign(static_cast<size_t>(w.n_panels() * kPanelRows * columns), 0.5f);
    return {w.panels.data(),
            static_cast<int64_t>(panel_bytes(w.dtype, w.n)),
            w.n_panels(),
            w.n,
            x.rows.data(),
            x.stride,
            columns,
            y.data(),
            w.n_panels() * kPanelRows,
            scratch()};
  }

  static uint8_t* scratch() {
    alignas(64) static uint8_t bytes[kMatmulScratch];
    return bytes;
  }

  const Product& product(DType dtype, Arithmetic arithmetic) const {
    return table().formats[static_cast<int>(dtype)].products[static_cast<int>(arithmetic)];
  }

  /// Calls check(sums, y) for every output of a product of random weights and columns; `sums` are those in double.
  struct Sums {
    double value = 0.5, magnitude = 0.5;  // of what is added up
    double error = 0;                     // standard deviation of what packing may round
  };
  template <class Check>
  void for_outputs(DType dtype, Arithmetic arithmetic, int n, int columns, const Check& check) {
    SCOPED_TRACE(testing::Message() << info(dtype).name << " n " << n << " columns " << columns);
    const Product& kernel = product(dtype, arithmetic);
    const Weights w = random_weights(dtype, 50, n);
    const Columns x = random_columns(kernel.operand, columns, n);
    std::vector<float> y;
    const MatmulArgs args = arguments(w, x, columns, y);
    kernel.matmul(args);
    for (int c = 0; c < columns; ++c) {
      for (int r = 0; r < w.rows; ++r) {
        check(sums_of(kernel.operand, w.row(r), x.column(c), n),
              y[static_cast<size_t>(c * args.y_stride + r)]);
        if (HasFatalFailure()) return;
      }
    }
  }

 private:
  float meaning(Operand operand, const Columns& x, int column, int k) const {
    const OperandRow row(table(), operand, x.n, column, x.rows.data());
    if (operand == Operand::bf16) {
      uint16_t half;
      std::memcpy(&half, row.number(2 * k), sizeof half);
      return bf16_to_f32(half);
    }
    const auto number = static_cast<float>(static_cast<int8_t>(*row.number(k)));
    if (operand == Operand::slabs) return number * row.scale<SlabScale>(k / kByteSlab).d;
    return number * row.scale<BlockScale>(k / kQuantBlock).d;
  }

  static Sums sums_of(Operand operand, const float* w, const float* x, int n) {
    Sums sums;
    for (int begin = 0; begin < n; begin += kPackedBytes) {
      const int end = std::min(n, begin + kPackedBytes);
      double largest = 0, squares = 0;
      for (int k = begin; k < end; ++k) {
        const float weight = operand == Operand::bf16 ? bf16_to_f32(f32_to_bf16(w[k])) : w[k];
        const double product = double{weight} * double{x[k]};
        sums.value += product;
        sums.magnitude += std::abs(product);
        largest = std::max(largest, std::abs(double{w[k]}));
        squares += double{x[k]} * double{x[k]};
      }
      // Weights are rounded to 8 bits for a part of a row: a step of at most 1/126 of a row's largest (and that may be a little
      // larger than what was drawn), twice where there is a minimum: 1 / sqrt(6) of a step.
      if (operand == Operand::slabs) sums.error += squares * std::pow(1.25 * largest / 126, 2) / 6;
    }
    sums.error = std::sqrt(sums.error);
    return sums;
  }

  void fill(DType dtype, std::vector<uint8_t>& bytes) {
    with_format(dtype, [&]<class Format>(Format) {
      for (size_t at = 0; at < bytes.size(); at += Format::kInfo.block_bytes) fill_block<Format>(&bytes[at]);
    });
  }

  template <class Format>
  void fill_block(uint8_t* block) {
    if constexpr (kIsQuantized<Format>) {
      for (int i = 0; i < Format::kFileBlock; ++i) block[i] = static_cast<uint8_t>(integer(0, 255));
      put_half(block, f32_to_f16(uniform(-0.1f, 0.1f)));
      if constexpr (Format::kHasMin) put_half(block + 2, f32_to_f16(uniform(-1, 1)));
    } else {
      const bool tiny = integer(0, 9) == 0;  // a subnormal F16
      const auto number = Format::from_f32(uniform(-1, 1) * (tiny ? 1e-6f : 1.0f));
      std::memcpy(block, &number, sizeof number);
    }
  }

  static void put_half(uint8_t* to, uint16_t half) { std::memcpy(to, &half, 2); }
};

/// Row lengths of the format: odd ones, ends of slabs and beyond.
std::vector<int> lengths(DType dtype) {
  const int block = info(dtype).block;
  if (block > 1) return {block, 3 * block, 256, 256 + block, 1024 + block, 4096 + block};
  return {1, 2, 31, 33, 127, 256, 257, 1023, 2049};
}

TEST_P(MatmulTest, UnpackedPanelsHoldTheValuesOfTheFile) {
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto dtype = static_cast<DType>(d);
    for (const int n : lengths(dtype)) {
      const Weights w = random_weights(dtype, 19, n);
      std::vector<float> slab(kSlab * kPanelRows);
      for (int p = 0; p < w.n_panels(); ++p) {
        for (int begin = 0; begin < n; begin += kSlab) {
          const int end = std::min(n, begin + kSlab);
          table().formats[d].unpack(&w.panels[static_cast<size_t>(p) * panel_bytes(dtype, n)], begin, end,
                                    slab.data());
          for (int k = begin; k < end; ++k) {
            for (int r = 0; r < kPanelRows; ++r) {
              const int row = p * kPanelRows + r;
              ASSERT_EQ(slab[static_cast<size_t>((k - begin) * kPanelRows + r)],
                        row < w.rows ? w.row(row)[k] : 0.0f)
                  << info(dtype).name << " row " << row << " value " << k << " of " << n;
            }
          }
        }
      }
    }
  }
}

TEST_P(MatmulTest, ExactProductsAgreeWithSumsInDouble) {
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto dtype = static_cast<DType>(d);
    ASSERT_EQ(product(dtype, Arithmetic::exact).operand, Operand::f32);
    for (const int n : lengths(dtype)) {
      for (const int columns : {1, 2, 3, 7, 15}) {
        for_outputs(dtype, Arithmetic::exact, n, columns, [&](const Sums& sums, float y) {
          // A chain of up to 256 products and sums, then one sum per slab (Higham, 3.1).
          ASSERT_NEAR(y, sums.value, (2 * std::min(n, kSlab) + n / kSlab + 2) * kEps * sums.magnitude);
        });
      }
    }
  }
}

TEST_P(MatmulTest, QuantizedWeightsDecodeInBlocksOfBytes) {
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto dtype = static_cast<DType>(d);
    if (info(dtype).block == 1) {
      EXPECT_EQ(product(dtype, Arithmetic::decode).matmul, product(dtype, Arithmetic::exact).matmul);
      continue;
    }
    ASSERT_EQ(product(dtype, Arithmetic::decode).operand, Operand::blocks);
    for (const int n : lengths(dtype)) {
      for (const int columns : {1, 2, 3, 4, 5, 9, 17}) {
        for_outputs(dtype, Arithmetic::decode, n, columns, [&](const Sums& sums, float y) {
          // Eight blocks of two roundings of the scale and two sums, offsets included, then a sum per slab.
          // The parts of a block with a minimum may cancel: their magnitudes are at most 32 (values) times
          // larger.
          ASSERT_NEAR(y, sums.value, (8 * 6 + n / kSlab + 4) * kEps * sums.magnitude * 4);
        });
      }
    }
  }
}

TEST_P(MatmulTest, PromptsAreMultipliedInWhatIsFastest) {
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto dtype = static_cast<DType>(d);
    const Product& prefill = product(dtype, Arithmetic::prefill);
    if (prefill.matmul == product(dtype, Arithmetic::decode).matmul) continue;  // nothing is faster
    ASSERT_EQ(prefill.operand, info(dtype).block > 1 ? Operand::slabs : Operand::bf16);
    for (const int n : lengths(dtype)) {
      for (const int columns : {1, 2, 11, 12, 13, 40}) {
        for_outputs(dtype, Arithmetic::prefill, n, columns, [&](const Sums& sums, float y) {
          // Sums of bytes are exact; those of BF16 are chains of up to 1024 pairs. Six standard deviations.
          const double rounded = (std::min(n, kPackedBytes / 2) + n / kByteSlab + 8) * kEps * sums.magnitude;
          ASSERT_NEAR(y, sums.value, rounded + 6 * sums.error);
        });
      }
    }
  }
}

TEST_P(MatmulTest, ResultsDependNeitherOnTheNumberOfColumnsNorOfPanels) {
  constexpr int kColumns = 23, kRows = 9 * kPanelRows, kLength = 640;
  for (int d = 0; d < kNumDTypes; ++d) {
    const Weights w = random_weights(static_cast<DType>(d), kRows, kLength);
    for (const Product& kernel : table().formats[d].products) {
      const Columns x = random_columns(kernel.operand, kColumns, kLength);
      std::vector<float> together, alone;
      const MatmulArgs each = arguments(w, x, kColumns, alone);
      for (int c = 0; c < kColumns; ++c) {
        const float* original = &x.originals[static_cast<size_t>(c * kLength)];
        const Columns own = packed_columns(kernel.operand, {original, original + kLength}, kLength);
        for (int p = 0; p < w.n_panels(); ++p) {
          MatmulArgs one = each;
          one.panels += p * one.panel_stride;
          one.n_panels = 1;
          one.x = own.rows.data();
          one.n_columns = 1;
          one.y += c * one.y_stride + p * kPanelRows;
          kernel.matmul(one);
        }
      }
      for (const int columns : {1, 2, 5, kColumns}) {
        kernel.matmul(arguments(w, x, columns, together));
        ASSERT_EQ(0, std::memcmp(together.data(), alone.data(), together.size() * sizeof(float)))
            << info(static_cast<DType>(d)).name << ", operand " << static_cast<int>(kernel.operand) << ", "
            << columns << " columns";
      }
    }
  }
}

TEST_P(MatmulTest, ResultsBeginFromABiasWhatTheyAreAddedToOrBoth) {
  constexpr int kMostColumns = 200, kRows = 5 * kPanelRows, kLength = 1152;
  const auto bias = values(kRows);
  for (int d = 0; d < kNumDTypes; ++d) {
    const Weights w = random_weights(static_cast<DType>(d), kRows, kLength);
    for (const Product& kernel : table().formats[d].products) {
      const Columns x = random_columns(kernel.operand, kMostColumns, kLength);
      for (const int columns : {1, 2, 5, 40, 100, kMostColumns}) {
        for (const bool add : {false, true}) {
          for (const float* from : {static_cast<const float*>(nullptr), bias.data()}) {
            std::vector<float> y, expected;
            MatmulArgs args = arguments(w, x, columns, y);
            args.add = add;
            args.bias = from;
            if (!add) std::fill(y.begin(), y.end(), NAN);
            kernel.matmul(args);

            const MatmulArgs plain = arguments(w, x, columns, expected);
            for (size_t i = 0; i < expected.size(); ++i) {
              expected[i] = (add ? expected[i] : 0.0f) + (from != nullptr ? from[i % kRows] : 0.0f);
            }
            kernel.matmul(plain);
            ASSERT_EQ(y, expected) << info(static_cast<DType>(d)).name << ", operand "
                                   << static_cast<int>(kernel.operand) << ", " << columns << " columns, add "
                                   << add << ", bias " << (from != nullptr);
          }
        }
      }
    }
  }
}

TEST_P(MatmulTest, ResultsAreTheSameForMoreColumnsAndPanelsThanCachesHold) {
  constexpr int kColumns = 530, kRows = 17 * kPanelRows, kLength = 544;
  for (const DType dtype : {DType::f16, DType::q5_1}) {
    const Weights w = random_weights(dtype, kRows, kLength);
    const Product& kernel = product(dtype, Arithmetic::prefill);
    const Columns x = random_columns(kernel.operand, kColumns, kLength);
    const auto bias = values(kRows);
    const auto multiply = [&](const Columns& columns, int n, std::vector<float>& y) {
      MatmulArgs args = arguments(w, columns, n, y);
      args.add = false;
      args.bias = bias.data();
      kernel.matmul(args);
    };
    std::vector<float> together, alone;
    multiply(x, kColumns, together);
    for (const int column : {0, 31, 32, 511, 512, 529}) {
      const float* original = &x.originals[static_cast<size_t>(column) * kLength];
      const Columns own = packed_columns(kernel.operand, {original, original + kLength}, kLength);
      multiply(own, 1, alone);
      ASSERT_EQ(0, std::memcmp(&together[static_cast<size_t>(column) * kRows], alone.data(),
                               alone.size() * sizeof(float)))
          << info(dtype).name << ", column " << column;
    }
  }
}

class EmulatedMatmulTest : public MatmulTest {};

TEST_P(EmulatedMatmulTest, HasTheBitsOfTheRealOne) {
  const std::string name(table().name, std::strlen(table().name) - std::strlen("-emulated"));
  const auto sets = real_sets();
  const auto real = std::ranges::find(sets, name, &Kernels::name);
  if (real == sets.end()) GTEST_SKIP() << "the CPU has no " << name;
  constexpr int kColumns = 50, kLength = 640;  // enough columns for every kind of tile
  for (int d = 0; d < kNumDTypes; ++d) {
    const Weights w = random_weights(static_cast<DType>(d), 80, kLength);
    for (int arithmetic = 0; arithmetic < kNumArithmetics; ++arithmetic) {
      const Product& emulated = table().formats[d].products[arithmetic];
      const Product& expected = (*real)->formats[d].products[arithmetic];
      ASSERT_EQ(emulated.operand, expected.operand);
      const Columns x = random_columns(expected.operand, kColumns, kLength);
      std::vector<float> y, expected_y;
      emulated.matmul(arguments(w, x, kColumns, y));
      expected.matmul(arguments(w, x, kColumns, expected_y));
      ASSERT_EQ(0, std::memcmp(y.data(), expected_y.data(), y.size() * sizeof(float)))
          << info(static_cast<DType>(d)).name << ", operand " << static_cast<int>(expected.operand);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, MatmulTest, testing::ValuesIn(tested_sets()), set_name);
INSTANTIATE_TEST_SUITE_P(Sets, EmulatedMatmulTest, testing::ValuesIn(emulated_sets()), set_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EmulatedMatmulTest);

}  // namespace
}  // namespace gptj
