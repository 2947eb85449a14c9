#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outboxd::binlog {

// Builds the body of a TABLE_MAP event of table s.t, for tests.
class TableMapBytes {
 public:
  TableMapBytes& Id(std::uint8_t id) {
    id_ = id;
    return *this;
  }
  TableMapBytes& Column(std::uint8_t type, std::vector<std::uint8_t> metadata = {}) {
    types_.push_back(type);
    metadata_.insert(metadata_.end(), metadata.begin(), metadata.end());
    return *this;
  }
  // One piece of optional metadata.
  TableMapBytes& Optional(std::uint8_t type, std::vector<std::uint8_t> value) {
    optional_.push_back(type);
    AppendPacked(optional_, value.size());
    optional_.insert(optional_.end(), value.begin(), value.end());
    return *this;
  }
  TableMapBytes& Nullable(std::vector<std::uint8_t> bits) {
    nullable_ = std::move(bits);
    return *this;
  }
  [[nodiscard]] std::vector<std::uint8_t> bytes() const {
    std::vector<std::uint8_t> body = {id_, 0, 0, 0, 0, 0, 1, 0, 1, 's', 0, 1, 't', 0};
    AppendPacked(body, types_.size());
    Append(body, types_);
    AppendPacked(body, metadata_.size());
    Append(body, metadata_);
    std::vector<std::uint8_t> nullable = nullable_;
    nullable.resize((types_.size() + 7) / 8);
    Append(body, nullable);
    Append(body, optional_);
    return body;
  }

  static void AppendPacked(std::vector<std::uint8_t>& to, std::size_t value) {
    if (value >= 251) to.push_back(0xFC);
    to.push_back(static_cast<std::uint8_t>(value));
    if (value >= 251) to.push_back(static_cast<std::uint8_t>(value >> 8));
  }
  static std::vector<std::uint8_t> Texts(const std::vector<std::string>& texts) {
    std::vector<std::uint8_t> bytes;
    for (const std::string& text : texts) {
      AppendPacked(bytes, text.size());
      bytes.insert(bytes.end(), text.begin(), text.end());
    }
    return bytes;
  }

 private:
  static void Append(std::vector<std::uint8_t>& to, const std::vector<std::uint8_t>& bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
  }

  std::uint8_t id_ = 7;
  std::vector<std::uint8_t> types_, metadata_, nullable_, optional_;
};

// Types as the log numbers them.
inline constexpr std::uint8_t kTinyType = 1, kLongType = 3, kFloatType = 4, kDoubleType = 5,
                              kTimestampType = 7, kTimeType = 11, kDatetimeType = 12,
                              kYearType = 13, kNewDateType = 14, kVarcharType = 15, kBitType = 16,
                              kArrayType = 20, kVectorType = 242, kJsonType = 245,
                              kDecimalType = 246, kBlobType = 252, kStringType = 254,
                              kGeometryType = 255;

}  // namespace outboxd::binlog
