// Products of every format on every instruction set against sums in double over the dequantized file blocks.

#include <cmath>
#include <cstring>

#include "base/half.h"
#include "kernels/tested_sets.h"
#include "tensor/formats.h"
#include "tensor/pack.h"

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

  MatmulArgs arguments(const Weights& w, const std::vector<float>& x, int columns, std::vector<float>& y) {
    const int stride = static_cast<int>(x.size()) / columns;
    return {w.panels.data(),
            static_cast<int64_t>(panel_bytes(w.dtype, w.n)),
            w.n_panels(),
            w.n,
            x.data(),
            stride,
            columns,
            y.data(),
            w.n_panels() * kPanelRows};
  }

  /// [columns][n], rows of x with some room after each.
  std::vector<float> random_columns(int columns, int n) {
    std::vector<float> x;
    for (int c = 0; c < columns; ++c) {
      const auto row = values(n);
      x.insert(x.end(), row.begin(), row.end());
    }
    return x;
  }

 private:
  void fill(DType dtype, std::vector<uint8_t>& bytes) {
    const DTypeInfo& format = info(dtype);
    for (size_t at = 0; at < bytes.size(); at += format.block_bytes) {
      uint8_t* block = &bytes[at];
      if (dtype == DType::f32) {
        const float value = uniform(-1, 1);
        std::memcpy(block, &value, 4);
      } else if (dtype == DType::bf16) {
        put_half(block, static_cast<uint16_t>(std::bit_cast<uint32_t>(uniform(-1, 1)) >> 16));
      } else if (dtype == DType::f16) {
        const bool subnormal = integer(0, 9) == 0;
        put_half(block, f32_to_f16(uniform(-1, 1) * (subnormal ? 1e-6f : 1.0f)));
      } else {
        for (size_t i = 0; i < format.block_bytes; ++i) block[i] = static_cast<uint8_t>(integer(0, 255));
        put_half(block, f32_to_f16(uniform(-0.1f, 0.1f)));
        if (dtype == DType::q4_1 || dtype == DType::q5_1) put_half(block + 2, f32_to_f16(uniform(-1, 1)));
        if (dtype == DType::q8_0 && block[2] == 0x80) block[2] = 0x81;
      }
    }
  }

  static void put_half(uint8_t* to, uint16_t half) { std::memcpy(to, &half, 2); }
};

/// Row lengths of the format: odd ones, ends of slabs and beyond.
std::vector<int> lengths(DType dtype) {
  const int block = info(dtype).block;
  if (block > 1) return {block, 3 * block, 256, 256 + block, 1024 + block};
  return {1, 2, 31, 33, 127, 256, 257, 1023};
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

TEST_P(MatmulTest, ProductsAgreeWithSumsInDouble) {
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto dtype = static_cast<DType>(d);
    for (const int n : lengths(dtype)) {
      for (const int columns : {1, 2, 3, 7, 15}) {
        const Weights w = random_weights(dtype, 50, n);
        const auto x = random_columns(columns, n);
        const auto width = static_cast<size_t>(w.n_panels() * kPanelRows);
        std::vector<float> y(width * static_cast<size_t>(columns), 0.5f);
        const MatmulArgs args = arguments(w, x, columns, y);
        table().formats[d].matmul(args);
        for (int c = 0; c < columns; ++c) {
          for (int r = 0; r < w.rows; ++r) {
            double sum = 0.5, magnitude = 0.5;
            for (int k = 0; k < n; ++k) {
              const double product = static_cast<double>(w.row(r)[k]) *
                                     static_cast<double>(x[static_cast<size_t>(c * args.x_stride + k)]);
              sum += product;
              magnitude += std::abs(product);
            }
            // A chain of up to 256 products and sums, then one sum per slab (Higham, 3.1).
            const double bound = (2 * std::min(n, kSlab) + n / kSlab + 2) * kEps * magnitude;
            ASSERT_NEAR(y[static_cast<size_t>(c) * width + static_cast<size_t>(r)], sum, bound)
                << info(dtype).name << " n " << n << " columns " << columns << " row " << r << " column "
                << c;
          }
        }
      }
    }
  }
}

TEST_P(MatmulTest, QuantizedActivationsAgreeWithSumsInDouble) {
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto dtype = static_cast<DType>(d);
    if (info(dtype).block == 1) {
      EXPECT_EQ(table().formats[d].matmul_quantized, nullptr);
      continue;
    }
    for (const int n : lengths(dtype)) {
      for (const int columns : {1, 2, 3, 4, 5, 9, 17}) {
        const Weights w = random_weights(dtype, 35, n);
        const auto x = random_columns(columns, n);
        std::vector<int8_t> q(static_cast<size_t>(n * columns));
        std::vector<QuantizedRows::Block> blocks(q.size() / kQuantBlock);
        const QuantizedRows rows{q.data(), blocks.data(), n};
        const auto width = static_cast<size_t>(w.n_panels() * kPanelRows);
        std::vector<float> y(width * static_cast<size_t>(columns), 0.5f);
        const MatmulArgs args = arguments(w, x, columns, y);
        for (int c = 0; c < columns; ++c)
          table().quantize(&x[static_cast<size_t>(c * args.x_stride)], n, rows, c);
        table().formats[d].matmul_quantized({args, rows});
        for (int c = 0; c < columns; ++c) {
          for (int r = 0; r < w.rows; ++r) {
            double sum = 0.5, magnitude = 0.5;
            for (int k = 0; k < n; ++k) {
              const auto at = static_cast<size_t>(c * n + k);
              const double product =
                  static_cast<double>(w.row(r)[k]) * static_cast<double>(blocks[at / kQuantBlock].d) * q[at];
              sum += product;
              magnitude += std::abs(product);
            }
            // Eight blocks of two roundings of the scale and two sums, offsets included, then a sum per slab.
            // The parts of a block with a minimum may cancel: their magnitudes are at most 32 (values) times
            // larger.
            const double bound = (8 * 6 + n / kSlab + 4) * kEps * magnitude * 4;
            ASSERT_NEAR(y[static_cast<size_t>(c) * width + static_cast<size_t>(r)], sum, bound)
                << info(dtype).name << " n " << n << " columns " << columns << " row " << r << " column "
                << c;
          }
        }
      }
    }
  }
}

TEST_P(MatmulTest, ResultsDependNeitherOnTheNumberOfColumnsNorOfPanels) {
  constexpr int kColumns = 23;
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto dtype = static_cast<DType>(d);
    const int n = 640;
    const Weights w = random_weights(dtype, 80, n);
    const auto x = random_columns(kColumns, n);
    const auto width = static_cast<size_t>(w.n_panels() * kPanelRows);
    std::vector<int8_t> q(static_cast<size_t>(n * kColumns));
    std::vector<QuantizedRows::Block> blocks(q.size() / kQuantBlock);
    const QuantizedRows rows{q.data(), blocks.data(), n};
    const bool quantized = info(dtype).block > 1;
    for (const bool with_quantized : {false, true}) {
      if (with_quantized && !quantized) continue;
      std::vector<float> together(width * kColumns), alone(width * kColumns);
      const MatmulArgs all = arguments(w, x, kColumns, together);
      const auto run = [&](const MatmulArgs& args, int column) {
        if (!with_quantized) return table().formats[d].matmul(args);
        table().formats[d].matmul_quantized(
            {args, {rows.q + column * n, rows.blocks + column * (n / kQuantBlock), rows.stride}});
      };
      for (int c = 0; c < kColumns; ++c) table().quantize(all.x + c * all.x_stride, n, rows, c);
      run(all, 0);
      for (int c = 0; c < kColumns; ++c) {
        for (int p = 0; p < w.n_panels(); ++p) {
          MatmulArgs one = all;
          one.panels += p * all.panel_stride;
          one.n_panels = 1;
          one.x += c * all.x_stride;
          one.n_columns = 1;
          one.y = alone.data() + static_cast<size_t>(c) * width + p * kPanelRows;
          run(one, c);
        }
      }
      ASSERT_EQ(0, std::memcmp(together.data(), alone.data(), together.size() * sizeof(float)))
          << info(dtype).name << (with_quantized ? ", quantized activations" : "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, MatmulTest, testing::ValuesIn(tested_sets()), set_name);

}  // namespace
}  // namespace gptj
