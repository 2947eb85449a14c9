#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace outboxd::binlog {

// Memory for the texts of one row. Finished texts stay where they are until Clear(), whatever is
// written after them, so that views into them hold. The last block is kept for the next row: once
// it has grown to the size of a row, nothing is allocated any more.
//
// One text is written at a time: Begin(), then Ensure() before each piece, then Finish().
class TextArena {
 public:
  // Ends the life of all texts.
  void Clear() {
    if (blocks_.empty()) return;
    if (blocks_.back().size > kKeptMax) {
      blocks_.clear();
    } else if (blocks_.size() > 1) {
      blocks_.erase(blocks_.begin(), blocks_.end() - 1);
    }
    used_ = 0;
  }

  // Starts a text, with room for `room` bytes.
  [[nodiscard]] char* Begin(std::size_t room) {
    if (blocks_.empty() || blocks_.back().size - used_ < room) AddBlock(room);
    return blocks_.back().bytes.get() + used_;
  }

  // Makes room for `room` bytes at `at`, the end of the text under way so far; returns where it
  // ends now, since the text may have moved.
  [[nodiscard]] char* Ensure(char* at, std::size_t room) {
    return static_cast<std::size_t>(limit() - at) >= room ? at : Move(at, room);
  }

  // The end of the room that the text under way has; valid until the next Begin() or Ensure().
  [[nodiscard]] const char* limit() const {
    return blocks_.back().bytes.get() + blocks_.back().size;
  }

  [[nodiscard]] std::string_view Finish(const char* end) {
    const char* const begin = blocks_.back().bytes.get() + used_;
    const auto size = static_cast<std::size_t>(end - begin);
    used_ += size;
    return {begin, size};
  }

 private:
  static constexpr std::size_t kFirstBlock = 4096;
  // A larger block goes back at the next Clear(), so that one huge row does not cost memory for
  // good.
  static constexpr std::size_t kKeptMax = std::size_t{1} << 20;

  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };

  void AddBlock(std::size_t room) {
    const std::size_t doubled = blocks_.empty() ? kFirstBlock : 2 * blocks_.back().size;
    const std::size_t size = std::max(std::min(doubled, kKeptMax), room);
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    used_ = 0;
  }

  char* Move(char* at, std::size_t room) {
    const std::size_t begin = used_;
    const char* const text = blocks_.back().bytes.get() + begin;
    const auto size = static_cast<std::size_t>(at - text);
    AddBlock(std::max(size + room, 2 * size));
    char* const moved = blocks_.back().bytes.get();
    if (size != 0) std::memcpy(moved, text, size);
    // A block that held nothing but this text is of no more use.
    if (begin == 0) blocks_.erase(blocks_.end() - 2);
    return moved + size;
  }

  std::vector<Block> blocks_;
  std::size_t used_ = 0;  // Bytes of the last block that finished texts occupy.
};

}  // namespace outboxd::binlog
