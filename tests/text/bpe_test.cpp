#include "text/bpe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gptj/error.h"

namespace gptj {
namespace {

struct RankedMerge {
  int left, right, merged;
};

std::vector<std::string> byte_tokens() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  return tokens;
}

/// The definition, word for word: again and again the lowest rank of all, the leftmost of its places.
std::vector<int> encode_plainly(std::string_view piece, const std::vector<RankedMerge>& merges) {
  std::vector<int> ids;
  for (const char c : piece) ids.push_back(static_cast<unsigned char>(c));
  while (true) {
    size_t best_rank = merges.size();
    size_t best_at = 0;
    for (size_t at = 0; at + 1 < ids.size(); ++at) {
      // The last of equal pairs counts.
      for (size_t rank = merges.size(); rank-- > 0;) {
        if (merges[rank].left != ids[at] || merges[rank].right != ids[at + 1]) continue;
        if (rank < best_rank) {
          best_rank = rank;
          best_at = at;
        }
        break;
      }
    }
    if (best_rank == merges.size()) return ids;
    ids[best_at] = merges[best_rank].merged;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
  }
}

TEST(Bpe, IsTheDefinitionForAnyMerges) {
  std::mt19937 random(1);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  for (int round = 0; round < 200; ++round) {
    // Merges among three letters, in any order: parts may have a higher rank than what is made of them.
    std::vector<std::string> tokens = byte_tokens();
    std::vector<RankedMerge> merges;
    std::vector<int> usable = {'a', 'b', 'c'};
    for (int n = 0; n < 12; ++n) {
      const int left = usable[below(usable.size())];
      const int right = usable[below(usable.size())];
      const std::string text = tokens[static_cast<size_t>(left)] + tokens[static_cast<size_t>(right)];
      const auto same = std::find(tokens.begin(), tokens.end(), text);
      const auto id = static_cast<int>(same - tokens.begin());
      if (same == tokens.end()) {
        tokens.push_back(text);
        usable.push_back(id);
      }
      merges.push_back({left, right, id});
    }
    std::shuffle(merges.begin(), merges.end(), random);

    Bpe bpe(TokenIndex(tokens), "test", merges.size());
    for (const RankedMerge& merge : merges) bpe.add_merge(merge.left, merge.right, merge.merged);
    Bpe::Scratch scratch;
    for (int sample = 0; sample < 50; ++sample) {
      std::string piece;
      for (size_t n = 1 + below(30); n > 0; --n) piece += static_cast<char>('a' + below(3));
      std::vector<int> ids;
      bpe.encode(piece, scratch, ids);
      ASSERT_EQ(ids, encode_plainly(piece, merges)) << piece;
    }
  }
}

TEST(Bpe, TheFirstOfEqualTokensCounts) {
  std::vector<std::string> tokens = byte_tokens();
  tokens.emplace_back("a");
  Bpe::Scratch scratch;
  std::vector<int> ids;
  Bpe(TokenIndex(tokens), "test", 0).encode("a", scratch, ids);
  EXPECT_EQ(ids, std::vector<int>{'a'});
}

TEST(Bpe, EveryByteNeedsAToken) {
  std::vector<std::string> tokens = byte_tokens();
  tokens[0xf5] = "padding";
  try {
    Bpe(TokenIndex(tokens), "some/file", 0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'some/file'"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("0xf5"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace gptj
