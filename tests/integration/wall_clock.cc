// Preloaded into a process, it shifts the time of day, and that alone, by as many microseconds as a
// file says that both sides map: a jump is there at once, also for a wait that is under way.
//
// libfaketime would do, but for waits on C11 condition variables (librdkafka's): with it those end
// by the true time, so that each of them would last as long as the shift. And Python 3.11 cannot
// sleep with it.

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSlice = 10'000'000;
constexpr int kThreadTimedOut = 4;  // glibc's thrd_timedout; <threads.h> is C's.

std::int64_t ToNanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

timespec ToTimespec(std::int64_t nanoseconds) {
  return {nanoseconds / kSecond, nanoseconds % kSecond};
}

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// By how much the time of day is shifted, in nanoseconds.
std::int64_t Shift() {
  static const auto* const shift = []() -> const std::atomic<std::int64_t>* {
    const char* path = std::getenv("OUTBOXD_WALL_CLOCK_FILE");
    const int descriptor = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return nullptr;
    void* mapped = mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, descriptor, 0);
    close(descriptor);
    return mapped == MAP_FAILED ? nullptr : static_cast<const std::atomic<std::int64_t>*>(mapped);
  }();
  return shift == nullptr ? 0 : shift->load() * 1000;
}

std::int64_t TrueTime() {
  static auto* const real = Real<int(clockid_t, timespec*)>("clock_gettime");
  timespec time{};
  real(CLOCK_REALTIME, &time);
  return ToNanoseconds(time);
}

// Ends when the shifted clock shows `deadline`, as the kernel's waits do. `wait` waits until the
// time by the true clock that it is given, and returns `timed_out` if that has passed.
template <typename Wait>
int WaitUntil(const timespec& deadline, int timed_out, const Wait& wait) {
  while (true) {
    const std::int64_t slice_end = TrueTime() + kSlice;
    const timespec until = ToTimespec(std::min(ToNanoseconds(deadline) - Shift(), slice_end));
    const int outcome = wait(until);
    if (outcome != timed_out || TrueTime() + Shift() >= ToNanoseconds(deadline)) return outcome;
  }
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static auto* const real = Real<int(clockid_t, timespec*)>("clock_gettime");
  const int outcome = real(clock, time);
  if (outcome == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    *time = ToTimespec(ToNanoseconds(*time) + Shift());
  }
  return outcome;
}

int gettimeofday(timeval* time, void*) noexcept {
  const std::int64_t now = TrueTime() + Shift();
  *time = {now / kSecond, now % kSecond / 1000};
  return 0;
}

time_t time(time_t* result) noexcept {
  const time_t seconds = (TrueTime() + Shift()) / kSecond;
  if (result != nullptr) *result = seconds;
  return seconds;
}

int timespec_get(timespec* time, int base) noexcept {
  *time = ToTimespec(TrueTime() + Shift());
  return base;
}

// By this MySQL knows how old a log file is. The file system has the true time.
int stat64(const char* path, struct stat64* result) noexcept {
  static auto* const real = Real<int(const char*, struct stat64*)>("stat64");
  const int outcome = real(path, result);
  if (outcome == 0) result->st_mtim = ToTimespec(ToNanoseconds(result->st_mtim) + Shift());
  return outcome;
}

int cnd_timedwait(void* condition, void* mutex, const timespec* deadline) {
  static auto* const real = Real<int(void*, void*, const timespec*)>("cnd_timedwait");
  return WaitUntil(*deadline, kThreadTimedOut,
                   [&](const timespec& until) { return real(condition, mutex, &until); });
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* deadline) {
  static auto* const real =
      Real<int(pthread_cond_t*, pthread_mutex_t*, const timespec*)>("pthread_cond_timedwait");
  // The other clock that a condition variable can have counts from the machine's start.
  const bool is_time_of_day = ToNanoseconds(*deadline) > TrueTime() / 2;
  if (!is_time_of_day) return real(condition, mutex, deadline);
  return WaitUntil(*deadline, ETIMEDOUT,
                   [&](const timespec& until) { return real(condition, mutex, &until); });
}

}  // extern "C"
