#include "binlog/transaction_buffer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

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

  std::string directory_;
};

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

}  // namespace
}  // namespace outboxd::binlog
