// Damages real events in a thousand ways: whatever the bytes, the decoders must answer with rows or
// an error, and never read or write beyond their memory (which the sanitizers watch).

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "binlog/character_sets.h"
#include "binlog/json_binary.h"
#include "binlog/row_decoder.h"
#include "binlog/table_map.h"
#include "tests/binlog/fixture_log.h"
#include "tests/binlog/json_bytes.h"

namespace outboxd::binlog {
namespace {

constexpr std::uint8_t kTableMapEvent = 19;
constexpr std::uint8_t kWriteRowsEvent = 30;
constexpr std::size_t kLargestEvent = 3000;

class MutationTest : public testing::Test {
 protected:
  std::size_t Below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }

  // A few bytes changed, some of them to what parsers stumble over; or cut, or doubled.
  Octets Damaged(Octets bytes) {
    static constexpr std::uint8_t kNasty[] = {0, 1, 0x7F, 0x80, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF};
    for (std::size_t i = 0, count = 1 + Below(4); i < count && !bytes.empty(); ++i) {
      std::uint8_t& byte = bytes[Below(bytes.size())];
      byte =
          Below(2) == 0 ? kNasty[Below(std::size(kNasty))] : static_cast<std::uint8_t>(random_());
    }
    if (Below(8) == 0) bytes.resize(Below(bytes.size() + 1));
    if (Below(16) == 0) {
      const Octets copy = bytes;
      bytes.insert(bytes.end(), copy.begin(), copy.end());
    }
    bytes.shrink_to_fit();
    return bytes;
  }

  void DecodeAll(const TableMap& map, const Octets& rows) {
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < map.columns.size(); ++i) {
      const std::vector<std::size_t> one = {i};
      if (decoder_.BindTable(map, one)) wanted.push_back(i);
    }
    if (!decoder_.BindTable(map, wanted)) return;
    if (!decoder_.BeginEvent(RowsEventVersion::kV2, rows)) return;
    auto has_row = decoder_.NextRow();
    for (; has_row && *has_row; has_row = decoder_.NextRow()) {
      for (const ColumnValue& value : decoder_.values()) {
        if (value && !value->empty()) checksum_ += static_cast<std::uint8_t>(value->back());
      }
      ++rows_;
    }
  }

  std::mt19937_64 random_{20260509};
  CharacterSets character_sets_;
  RowDecoder decoder_{character_sets_};
  std::size_t rows_ = 0;
  std::size_t checksum_ = 0;
};

TEST_F(MutationTest, DamagedTableMapsAndRowsAreRowsOrErrors) {
  Octets map_body;
  for (const LoggedEvent& event : ReadEvents(ReadFixture("values.binlog.gz"))) {
    if (event.type == kTableMapEvent) map_body = event.body;
    if (event.type != kWriteRowsEvent || event.body.size() > kLargestEvent) continue;
    const auto map = TableMap::Parse(map_body);
    ASSERT_TRUE(map);
    for (int i = 0; i < 60; ++i) {
      DecodeAll(*map, Damaged(event.body));
      const auto damaged_map = TableMap::Parse(Damaged(map_body));
      if (damaged_map) DecodeAll(*damaged_map, event.body);
    }
  }
  EXPECT_GT(rows_, 1000U);
}

TEST_F(MutationTest, DamagedDocumentsAreTextOfBoundedSizeOrErrors) {
  const Octets document =
      JsonObject({{"a", JsonInt16(1)},
                  {"bb", JsonArray({JsonString("some text"), JsonOpaque(252, {1, 2, 3}), {4, 1}})},
                  {"cc", JsonArray({JsonArray({JsonArray({JsonInt16(-1), JsonString("\"")})})})},
                  {"ccc", JsonObject({{"d", {11, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F}}})},
                  {"dddd", JsonOpaque(246, {2, 1, 0x81, 5})},
                  {"eeee", JsonOpaque(12, {0, 0, 0, 0, 0, 0, 0, 0})}});
  TextArena arena;
  std::size_t rendered = 0;
  for (int i = 0; i < 200'000; ++i) {
    arena.Clear();
    const Octets damaged = Damaged(document);
    const auto text = RenderJson(damaged, arena);
    if (!text) continue;
    ++rendered;
    ASSERT_LE(text->size(), 16 + 8 * damaged.size());
  }
  EXPECT_GT(rendered, 1000U);
}

}  // namespace
}  // namespace outboxd::binlog
