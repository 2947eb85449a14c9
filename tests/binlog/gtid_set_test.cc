#include "binlog/gtid_set.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace outboxd::binlog {
namespace {

const std::string kA = "aaaaaaaa-0000-0000-0000-000000000001";
const std::string kB = "bbbbbbbb-0000-0000-0000-000000000002";

GtidSet Set(std::string_view text) { return GtidSet::Parse(text).value(); }

Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// A set in the most naive form there is, to compare with: single numbers of few origins.
class NaiveSet {
 public:
  explicit NaiveSet(std::mt19937& random) {
    for (int i = static_cast<int>(random() % 12); i > 0; --i) {
      const GtidOrigin& origin = Origins()[random() % Origins().size()];
      const std::uint64_t first = 1 + random() % 40;
      const std::uint64_t last = first + random() % 6;
      for (std::uint64_t number = first; number <= last; ++number) gtids_.insert({origin, number});
      set_.Add(origin, {first, last});
    }
  }

  [[nodiscard]] const GtidSet& set() const { return set_; }
  [[nodiscard]] const std::set<std::pair<GtidOrigin, std::uint64_t>>& gtids() const {
    return gtids_;
  }

 private:
  static const std::vector<GtidOrigin>& Origins() {
    static const std::vector<GtidOrigin> origins = {
        {ParseUuid(kA).value(), ""}, {ParseUuid(kA).value(), "tag"}, {ParseUuid(kB).value(), ""}};
    return origins;
  }

  GtidSet set_;
  std::set<std::pair<GtidOrigin, std::uint64_t>> gtids_;
};

GtidSet FromGtids(const std::set<std::pair<GtidOrigin, std::uint64_t>>& gtids) {
  GtidSet set;
  for (const auto& [origin, number] : gtids) set.Add({origin, number});
  return set;
}

TEST(GtidSetTest, ParsesAndPrintsAsMysqlDoes) {
  const std::string text = kA + ":1-5:7:batch:1-3:9:other:4," + kB + ":2";
  EXPECT_EQ(Set(text).ToText(), text);
  EXPECT_EQ(Set(text).count(), 12u);
  EXPECT_EQ(Set("").ToText(), "");
}

TEST(GtidSetTest, ParsesBlanksLineFeedsAndEmptyParts) {
  EXPECT_EQ(Set(" " + kA + ":1-5 : 7 ,\n" + kB + ":2 - 3,,"), Set(kA + ":1-5:7," + kB + ":2-3"));
}

TEST(GtidSetTest, ParsesIntervalsInAnyOrderAndMergesThem) {
  EXPECT_EQ(Set(kA + ":9:4-5:1-3," + kA + ":6:5").ToText(), kA + ":1-6:9");
}

TEST(GtidSetTest, ParsesManyDescendingIntervalsInReasonableTime) {
  std::string text = kA;
  for (int number = 300'000; number > 0; --number) text += fmt::format(":{}", 2 * number);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Set(text).count(), 300'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(GtidSetTest, TagsAreWithoutCaseAndEndWithTheUuid) {
  EXPECT_EQ(Set(kA + ":Batch:1," + kA + ":2").ToText(), kA + ":2:batch:1");
}

TEST(GtidSetTest, RejectsTextThatIsNoSet) {
  const std::vector<std::string> bad = {std::string("x"),
                                        kA,
                                        kA + ":",
                                        kA + ":0",
                                        kA + ":5-3",
                                        kA + ":1-",
                                        kA + ":-1",
                                        kA + ":1-2-3",
                                        kA + ":1:tag",
                                        kA + ":1::2",
                                        kA + ":9223372036854775807",
                                        kA + ":18446744073709551617",
                                        kA + ":a b:1",
                                        kA + ":1 2",
                                        kA + ":" + std::string(33, 'x') + ":1",
                                        kA + " " + kB + ":1"};
  for (const std::string& text : bad) {
    const auto parsed = GtidSet::Parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kUnsuitable);
  }
}

TEST(GtidSetTest, AddingSuccessorsKeepsOneInterval) {
  GtidSet set;
  const GtidOrigin origin{ParseUuid(kA).value(), ""};
  for (std::uint64_t number = 1; number <= 1000; ++number) set.Add({origin, number});
  EXPECT_EQ(set.ToText(), kA + ":1-1000");
}

TEST(GtidSetTest, AddingClosesGapsFromEitherSide) {
  GtidSet set = Set(kA + ":1-3:5-7:9");
  const GtidOrigin origin{ParseUuid(kA).value(), ""};
  set.Add({origin, 4});
  EXPECT_EQ(set.ToText(), kA + ":1-7:9");
  set.Add(origin, {2, 20});
  EXPECT_EQ(set.ToText(), kA + ":1-20");
  set.Add(origin, {30, 31});
  set.Add(origin, {25, 27});
  EXPECT_EQ(set.ToText(), kA + ":1-20:25-27:30-31");
}

TEST(GtidSetTest, LeavesOutNumbersThatNoTransactionCanHave) {
  GtidSet set;
  const GtidOrigin origin{ParseUuid(kA).value(), ""};
  set.Add(origin, {0, 0});
  set.Add(origin, {UINT64_MAX, UINT64_MAX});
  set.Add(origin, {5, 4});
  EXPECT_TRUE(set.empty());
  set.Add(origin, {0, UINT64_MAX});
  set.Add(origin, {UINT64_MAX - 1, UINT64_MAX});
  EXPECT_EQ(set.ToText(), kA + ":1-9223372036854775806");
  EXPECT_EQ(GtidSet::Decode(AsBytes(set.Encode())).value(), set);
}

TEST(GtidSetTest, OperationsAgreeWithSetsOfSingleNumbers) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const NaiveSet a(random);
    const NaiveSet b(random);
    auto united = a.gtids();
    united.insert(b.gtids().begin(), b.gtids().end());
    auto both = a.gtids();
    std::erase_if(both, [&](const auto& gtid) { return !b.gtids().contains(gtid); });
    auto left = a.gtids();
    std::erase_if(left, [&](const auto& gtid) { return b.gtids().contains(gtid); });

    GtidSet sum = a.set();
    sum.Unite(b.set());
    ASSERT_EQ(a.set(), FromGtids(a.gtids()));
    ASSERT_EQ(sum, FromGtids(united));
    ASSERT_EQ(a.set().Minus(b.set()), FromGtids(left));
    ASSERT_EQ(a.set().Intersect(b.set()), FromGtids(both));
    ASSERT_EQ(a.set().IsSubsetOf(b.set()), left.empty());
    ASSERT_EQ(a.set().count(), a.gtids().size());
    for (const auto& [origin, number] : united) {
      ASSERT_EQ(a.set().Contains({origin, number}), a.gtids().contains({origin, number}));
    }
    ASSERT_EQ(Set(sum.ToText()), sum);
    ASSERT_EQ(GtidSet::Decode(AsBytes(sum.Encode())).value(), sum);
  }
}

// Bodies of PREVIOUS_GTIDS events that MySQL 9.7.4 wrote.
TEST(GtidSetTest, DecodesUntaggedBytesOfMysql) {
  const std::string bytes = FromHex(
      "0100000000000000"
      "aaaaaaaa000000000000000000000001"
      "0200000000000000"
      "01000000000000000600000000000000"
      "07000000000000000800000000000000");
  const auto set = GtidSet::Decode(AsBytes(bytes));
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->ToText(), kA + ":1-5:7");
  EXPECT_EQ(set->Encode(), bytes);
}

TEST(GtidSetTest, DecodesTaggedBytesOfMysql) {
  const std::string bytes = FromHex(
      "0102000000000001"
      "aaaaaaaa000000000000000000000001"
      "00"
      "0100000000000000"
      "01000000000000000600000000000000"
      "aaaaaaaa000000000000000000000001"
      "0a6261746368"
      "0100000000000000"
      "02000000000000000300000000000000");
  const auto set = GtidSet::Decode(AsBytes(bytes));
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->ToText(), kA + ":1-5:batch:2");
  EXPECT_EQ(set->Encode(), bytes);
}

TEST(GtidSetTest, EmptySetIsEightZeroBytes) {
  EXPECT_EQ(GtidSet().Encode(), std::string(8, '\0'));
  EXPECT_TRUE(GtidSet::Decode(AsBytes(std::string(8, '\0'))).value().empty());
}

TEST(GtidSetTest, RejectsEveryTruncation) {
  const std::string bytes = Set(kA + ":1-5:batch:1-3," + kB + ":1:3").Encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = GtidSet::Decode(AsBytes(bytes).first(size));
    ASSERT_FALSE(decoded) << size;
    EXPECT_EQ(decoded.error().kind, ErrorKind::kCorrupt);
  }
  EXPECT_FALSE(GtidSet::Decode(AsBytes(bytes + '\0')));
}

TEST(GtidSetTest, RejectsHostileBytesWithoutAllocatingByThem) {
  const std::string uuid = "aaaaaaaa000000000000000000000001";
  const std::vector<std::string> hostile = {
      "ffffffffffffff00",                               // Origin count.
      "01ffffffffffff01",                               // With tags.
      "0100000000000000" + uuid + "ffffffffffffffff",   // Interval count.
      "0100000000000000" + uuid + "0100000000000000" +  // First is 0.
          "00000000000000000100000000000000",
      "0100000000000000" + uuid + "0100000000000000" +  // Empty.
          "05000000000000000500000000000000",
      "0100000000000000" + uuid + "0100000000000000" +  // Beyond the end.
          "0500000000000000ffffffffffffffff",
      "0100000000000000" + uuid + "0200000000000000" +  // Descending.
          "05000000000000000600000000000000" + "01000000000000000200000000000000",
      "0200000000000000" + uuid + "0100000000000000" +  // Origin twice.
          "05000000000000000600000000000000" + uuid + "0100000000000000" +
          "05000000000000000600000000000000",
      "0101000000000001" + uuid + "0261" + "FF" + "00000000000000",  // Interval count.
      "0101000000000001" + uuid + "0241" + "0100000000000000" +      // Upper-case tag.
          "05000000000000000600000000000000",
      "0101000000000001" + uuid + "ff" + "0100000000000000" +  // Tag length.
          "05000000000000000600000000000000",
  };
  for (const std::string& hex : hostile) {
    const auto decoded = GtidSet::Decode(AsBytes(FromHex(hex)));
    ASSERT_FALSE(decoded) << hex;
    EXPECT_EQ(decoded.error().kind, ErrorKind::kCorrupt);
  }
}

TEST(GtidSetTest, SurvivesRandomBytes) {
  std::mt19937 random(1);
  std::string bytes = Set(kA + ":1-5:batch:1-3," + kB + ":1:3").Encode();
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = bytes;
    for (int j = 0; j < 3; ++j) damaged[random() % damaged.size()] = static_cast<char>(random());
    const auto decoded = GtidSet::Decode(AsBytes(damaged));
    if (!decoded) continue;
    EXPECT_EQ(GtidSet::Decode(AsBytes(decoded->Encode())).value(), *decoded);
  }
}

TEST(GtidSetTest, AppendingCostsTheSameInALargeSet) {
  const auto seconds = [](int gaps) {
    GtidSet set;
    const GtidOrigin origin{ParseUuid(kA).value(), ""};
    for (int i = 1; i <= gaps; ++i) set.Add({origin, static_cast<std::uint64_t>(2 * i)});
    const auto start = std::chrono::steady_clock::now();
    std::uint64_t next = static_cast<std::uint64_t>(2 * gaps) + 1;
    for (int i = 0; i < 200'000; ++i) set.Add({origin, next++});
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  EXPECT_LT(seconds(200'000), 20 * seconds(1) + 0.05);
}

}  // namespace
}  // namespace outboxd::binlog
