#include "binlog/group_watch.h"

#include <utility>

#include "binlog/mysql_replication.h"

namespace outboxd::binlog {
namespace {

// For the log-in, an answer and the rest of it, each: a member that takes longer is asked again.
constexpr std::chrono::seconds kTimeout{5};

}  // namespace

GroupWatch::GroupWatch(const ConnectionOptions& member, bool is_member,
                       std::optional<std::string> why, std::chrono::milliseconds interval,
                       Tell tell)
    : member_(member),
      is_member_(is_member),
      interval_(interval),
      tell_(std::move(tell)),
      requires_writable_(member.requires_writable),
      is_cut_off_(why.has_value()),
      why_(std::move(why)) {
  member_.requires_writable = false;  // That is asked below.
  member_.connect_timeout = kTimeout;
  member_.answer_timeout = kTimeout;
  member_.read_timeout = kTimeout;
  member_.interrupter = &interrupter_;
  thread_ = std::jthread([this](const std::stop_token& stop) noexcept { Run(stop); });
}

GroupWatch::~GroupWatch() {
  thread_.request_stop();
  interrupter_.Request();
}

std::optional<std::string> GroupWatch::why() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

void GroupWatch::Run(const std::stop_token& stop) {
  while (!Wait(stop)) Ask();
}

// Whether it is to stop.
bool GroupWatch::Wait(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, stop, interval_, [] { return false; });
  return stop.stop_requested();
}

void GroupWatch::Ask() {
  if (!connection_) {
    auto connection = MysqlConnection::Connect(member_);
    if (!connection) return;  // Whether it answers at all the stream tells.
    connection_ = std::move(*connection);
  }
  if (requires_writable_) {
    const auto is_read_only = AskWhetherReadOnly(*connection_);
    if (!is_read_only) return connection_.reset();
    is_read_only_.store(*is_read_only, std::memory_order_relaxed);
  }
  if (!is_member_) return;
  const auto standing = AskForStanding(*connection_);
  if (standing) return Note(*standing ? (*standing)->cut_off : std::nullopt);
  connection_.reset();
}

void GroupWatch::Note(const std::optional<std::string>& why) {
  const bool was_cut_off = is_cut_off_.exchange(why.has_value());
  {
    const std::lock_guard lock(mutex_);
    why_ = why;
  }
  if (tell_ && was_cut_off != why.has_value()) tell_(why);
}

}  // namespace outboxd::binlog
