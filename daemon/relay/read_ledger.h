#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "binlog/error.h"

namespace outboxd {

// What the log has shown, since the initial read began, of rows that chunks still to be read (or
// read again) may meet: the places at which a row has arrived since, and the images of rows as they
// were when the read began, where they have changed or gone since. It need not outlive the process:
// the log holds everything that is in it.
//
// A table is known by a number of the caller's. Reader thread only. After kSpill, the one error,
// only Clear() helps.
class ReadLedger {
 public:
  virtual ~ReadLedger() = default;

  // Forgets everything, a failure as well.
  [[nodiscard]] virtual binlog::Result<void> Clear() = 0;
  // Whether there was a kSpill since.
  [[nodiscard]] virtual bool has_failed() const = 0;

  // A row came to this place: whatever a chunk meets there now, the stream brings or has brought.
  [[nodiscard]] virtual binlog::Result<void> AddArrival(std::size_t table,
                                                        std::string_view place) = 0;
  // The row at this place is no more what it was when the read began. Keeps only the first image of
  // a place, and none where a row has arrived.
  [[nodiscard]] virtual binlog::Result<void> KeepImage(std::size_t table, std::string_view place,
                                                       std::string_view image) = 0;

  // Whether a chunk's row at this place is to be left out.
  [[nodiscard]] virtual binlog::Result<bool> LeavesOut(std::size_t table,
                                                       std::string_view place) = 0;

  // Forgets the places of the table up to this one.
  [[nodiscard]] virtual binlog::Result<void> ForgetUpTo(std::size_t table,
                                                        std::string_view place) = 0;
  [[nodiscard]] virtual binlog::Result<void> ForgetTable(std::size_t table) = 0;

  struct Image {
    std::string_view place, bytes;  // Valid until the next call.
  };
  // Goes through the images behind `after` up to `up_to`, in order of places; none: without bound.
  // Nothing is added or forgotten meanwhile.
  [[nodiscard]] virtual binlog::Result<void> BeginImages(
      std::size_t table, const std::optional<std::string>& after,
      const std::optional<std::string>& up_to) = 0;
  [[nodiscard]] virtual binlog::Result<std::optional<Image>> NextImage() = 0;
  virtual void EndImages() = 0;
};

}  // namespace outboxd
