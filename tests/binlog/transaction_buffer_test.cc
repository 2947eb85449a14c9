#include "binlog/transaction_buffer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "tests/binlog/heap.h"

namespace outboxd::binlog {
namespace {

class TransactionBufferTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "spill.XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  TransactionBuffer Make(std::size_t memory_bytes_max, std::uint64_t spill_bytes_max = 1 << 20) {
    return TransactionBuffer({directory_, memory_bytes_max, spill_bytes_max});
  }
  static void Add(TransactionBuffer& buffer, const std::string& text) {
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    ASSERT_TRUE(buffer.Append(EventType::kWriteRows, bytes));
  }
  static std::string All(TransactionBuffer& buffer) {
    std::string all;
    buffer.Rewind();
    while (true) {
      auto record = buffer.Next();
      if (!record) return "error: " + record.error().message;
      if (!*record) return all;
      all += AsText((*record)->body);
      all += '|';
    }
  }

  static std::ptrdiff_t OpenFiles() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  }

  std::string directory_;
};

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

TEST_F(TransactionBufferTest, GivesBackWhatItTookInOrder) {
  auto buffer = Make(1 << 20);
  Add(buffer, "one");
  Add(buffer, "");
  Add(buffer, "three");
  EXPECT_EQ(All(buffer), "one||three|");
  EXPECT_EQ(All(buffer), "one||three|");
}

TEST_F(TransactionBufferTest, SpillsWhatMemoryCannotHoldWithoutAVisibleFile) {
  auto buffer = Make(20);
  Add(buffer, "in memory");
  Add(buffer, "in the file");
  Add(buffer, "x");
  EXPECT_EQ(All(buffer), "in memory|in the file|x|");
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(TransactionBufferTest, TruncateForgetsWhatCameBehindTheMark) {
  for (const std::size_t memory : {std::size_t{12}, std::size_t{1} << 20}) {
    auto buffer = Make(memory);
    Add(buffer, "kept");
    Add(buffer, "kept too");
    const auto mark = buffer.size();
    Add(buffer, "dropped");
    buffer.Truncate(mark);
    Add(buffer, "after");
    EXPECT_EQ(All(buffer), "kept|kept too|after|");
    buffer.Clear();
    EXPECT_EQ(buffer.size(), 0u);
    EXPECT_EQ(All(buffer), "");
  }
}

TEST_F(TransactionBufferTest, StopsAtTheCapOfTheSpillFile) {
  auto buffer = Make(0, 100);
  const std::string large(90, 'x');
  Add(buffer, large);
  const Bytes more(reinterpret_cast<const std::uint8_t*>(large.data()), large.size());
  const auto refused = buffer.Append(EventType::kWriteRows, more);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kSpill);
}

TEST_F(TransactionBufferTest, SaysThatTheSpillDirectoryIsMissing) {
  TransactionBuffer buffer({directory_ + "/none", 0, 100});
  const auto refused = buffer.Append(EventType::kWriteRows, Bytes());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kSpill);
  EXPECT_NE(refused.error().message.find(directory_ + "/none"), std::string::npos);
}

TEST_F(TransactionBufferTest, GivesTheMemoryOfALargeRecordBackOnceItIsCleared) {
  auto buffer = Make(0, 64 * kMebibyte);
  Add(buffer, std::string(32 * kMebibyte, 'x'));
  const std::size_t before = AllocatedBytes();
  ASSERT_EQ(All(buffer).size(), 32 * kMebibyte + 1);
  buffer.Clear();
  EXPECT_LE(AllocatedBytes(), before + kMebibyte);
}

TEST_F(TransactionBufferTest, AMovedBufferIsReadElsewhereAndIsEmptyHere) {
  for (const std::size_t memory : {std::size_t{20}, kMebibyte}) {
    auto buffer = Make(memory);
    Add(buffer, "in memory");
    Add(buffer, "perhaps in the file");
    TransactionBuffer moved = std::move(buffer);
    EXPECT_EQ(All(moved), "in memory|perhaps in the file|");
    EXPECT_EQ(All(buffer), "");
    EXPECT_EQ(buffer.size(), 0u);
    Add(buffer, "the next transaction");
    EXPECT_EQ(All(buffer), "the next transaction|");
    EXPECT_EQ(All(moved), "in memory|perhaps in the file|");
  }
}

TEST_F(TransactionBufferTest, AssigningClosesTheFileOfWhatWasThere) {
  const auto before = OpenFiles();
  {
    auto buffer = Make(0);
    Add(buffer, "old");
    auto other = Make(0);
    Add(other, "new");
    EXPECT_EQ(OpenFiles(), before + 2);
    buffer = std::move(other);
    EXPECT_EQ(OpenFiles(), before + 1);
    TransactionBuffer& same = buffer;
    buffer = std::move(same);
    EXPECT_EQ(All(buffer), "new|");
  }
  EXPECT_EQ(OpenFiles(), before);
}

TEST_F(TransactionBufferTest, SpillMovesEverythingToTheFile) {
  for (const std::size_t memory : {std::size_t{20}, kMebibyte}) {
    auto buffer = Make(memory);
    Add(buffer, "one");
    Add(buffer, "");
    Add(buffer, "a longer third");
    const auto size = buffer.size();
    ASSERT_TRUE(buffer.Spill());
    EXPECT_EQ(buffer.memory_bytes(), 0u);
    EXPECT_EQ(buffer.size(), size);
    Add(buffer, "behind");
    EXPECT_EQ(All(buffer), "one||a longer third|behind|");
    buffer.Truncate(size);
    EXPECT_EQ(All(buffer), "one||a longer third|");
  }
}

TEST_F(TransactionBufferTest, ASpilledBufferIsInMemoryAgainOnceItIsCleared) {
  auto buffer = Make(kMebibyte);
  Add(buffer, "one");
  ASSERT_TRUE(buffer.Spill());
  buffer.Clear();
  Add(buffer, "two");
  EXPECT_EQ(All(buffer), "two|");
  EXPECT_EQ(buffer.memory_bytes(), buffer.size());
}

TEST_F(TransactionBufferTest, ASpillBeyondTheCapChangesNothing) {
  auto buffer = Make(kMebibyte, 100);
  Add(buffer, std::string(50, 'x'));
  Add(buffer, std::string(50, 'y'));
  const auto refused = buffer.Spill();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kSpill);
  EXPECT_EQ(buffer.memory_bytes(), buffer.size());
  EXPECT_EQ(All(buffer), std::string(50, 'x') + "|" + std::string(50, 'y') + "|");
}

TEST_F(TransactionBufferTest, TheCapCountsWhatIsInTheFileNow) {
  auto buffer = Make(0, 100);
  for (int i = 0; i < 3; ++i) {
    Add(buffer, std::string(90, 'x'));
    buffer.Clear();
  }
  Add(buffer, "and another");
  EXPECT_EQ(All(buffer), "and another|");
}

class SharedSpillTest : public TransactionBufferTest {
 protected:
  TransactionBuffer Share(std::size_t memory_bytes_max = 0) {
    return TransactionBuffer({directory_, memory_bytes_max, 100, use_});
  }
  // A record that takes 40 bytes of the 100.
  static bool AddForty(TransactionBuffer& buffer) {
    const std::string text(35, 'x');
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    const auto added = buffer.Append(EventType::kWriteRows, bytes);
    EXPECT_TRUE(added || added.error().kind == ErrorKind::kSpill);
    return added.has_value();
  }

  std::shared_ptr<SpillUse> use_ = std::make_shared<SpillUse>();
};

TEST_F(SharedSpillTest, TheCapIsOneForAllFiles) {
  auto one = Share();
  auto other = Share();
  EXPECT_TRUE(AddForty(one));
  EXPECT_TRUE(AddForty(other));
  EXPECT_FALSE(AddForty(one));
  EXPECT_FALSE(AddForty(other));
  EXPECT_EQ(one.all_spilled_bytes(), 80u);
  EXPECT_EQ(one.spilled_bytes(), 40u);
  other.Clear();
  EXPECT_TRUE(AddForty(one));
}

TEST_F(SharedSpillTest, WhatIsMovedGoesOnCountingOnce) {
  auto one = Share();
  AddForty(one);
  {
    TransactionBuffer moved = std::move(one);
    EXPECT_TRUE(AddForty(one));
    EXPECT_FALSE(AddForty(one));
    one = std::move(moved);
    EXPECT_EQ(use_->bytes(), 40u);
  }
  EXPECT_EQ(use_->bytes(), 40u);
  {
    const TransactionBuffer last = std::move(one);
  }
  EXPECT_EQ(use_->bytes(), 0u);
}

TEST_F(SharedSpillTest, ASpillReplacesTheFileThatWasThere) {
  auto buffer = Share(40);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(AddForty(buffer));
  ASSERT_TRUE(buffer.Spill());
  EXPECT_EQ(use_->bytes(), 80u);
  auto other = Share(120);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(AddForty(other));
  EXPECT_FALSE(other.Spill());
  EXPECT_EQ(use_->bytes(), 80u);
}

TEST_F(SharedSpillTest, WhatIsForgottenTakesNoDiskSpace) {
  auto buffer = Share();
  AddForty(buffer);
  AddForty(buffer);
  buffer.Truncate(40);
  EXPECT_EQ(use_->bytes(), 40u);
  AddForty(buffer);
  EXPECT_EQ(All(buffer), std::string(35, 'x') + "|" + std::string(35, 'x') + "|");
}

TEST_F(TransactionBufferTest, ShrinkingGivesReservedMemoryBack) {
  auto buffer = Make(16 * kMebibyte);
  Add(buffer, "kept");
  const auto mark = buffer.size();
  Add(buffer, std::string(8 * kMebibyte, 'x'));
  buffer.Truncate(mark);
  const std::size_t before = AllocatedBytes();
  buffer.ShrinkToFit();
  if (before == 0) GTEST_SKIP() << "the heap is not the C library's";
  EXPECT_LE(AllocatedBytes(), before - 8 * kMebibyte);
  EXPECT_EQ(All(buffer), "kept|");
}

}  // namespace
}  // namespace outboxd::binlog
