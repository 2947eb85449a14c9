#include "binlog/text_arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace outboxd::binlog {
namespace {

std::string_view Write(TextArena& arena, const std::string& text) {
  char* to = arena.Begin(0);
  for (const char c : text) {
    to = arena.Ensure(to, 1);
    *to++ = c;
  }
  return arena.Finish(to);
}

TEST(TextArenaTest, FinishedTextsStayWhileOthersGrow) {
  TextArena arena;
  std::vector<std::string_view> views;
  for (std::size_t i = 0; i < 200; ++i) views.push_back(Write(arena, std::string(i * i, 'a')));
  for (std::size_t i = 0; i < views.size(); ++i) EXPECT_EQ(views[i], std::string(i * i, 'a'));
}

TEST(TextArenaTest, ATextMovesWhenItOutgrowsItsBlock) {
  TextArena arena;
  const std::string_view first = Write(arena, "first");
  const std::string_view large = Write(arena, std::string(1'000'000, 'x'));
  EXPECT_EQ(first, "first");
  EXPECT_EQ(large, std::string(1'000'000, 'x'));
}

TEST(TextArenaTest, AClearedArenaUsesTheSameMemoryAgain) {
  TextArena arena;
  const char* const first = Write(arena, std::string(10'000, 'x')).data();
  arena.Clear();
  EXPECT_EQ(Write(arena, std::string(10'000, 'y')).data(), first);
}

TEST(TextArenaTest, AnAbandonedTextLeavesNoTrace) {
  TextArena arena;
  std::memcpy(arena.Begin(9), "abandoned", 9);
  EXPECT_EQ(Write(arena, "kept"), "kept");
}

}  // namespace
}  // namespace outboxd::binlog
