#include "daemon/service/notice.h"

#include <array>
#include <cstddef>

namespace outboxd {
namespace {

// In the order of the enum, without kNone.
constexpr auto kNames = std::to_array<NoticeName>({
    {"holds-at-event", "96105b28e48a4b708d9b67d7db613a36"},
    {"holds-for-room", "993db070d5694e52a80a53f36bb473f2"},
    {"holds-for-record", "2053fdd9e00f44eebfa96fa1a091cc39"},
    {"statement-alarm", "0ae2ba31559149c89d2b75d69499be42"},
    {"update-alarm", "2db1b6ae49424d27a8150490f579d180"},
    {"xa-alarm", "401a829708574a9ebb288398b380925c"},
    {"read-alarm", "75a9e6fc946143df97f6b0455f8185cd"},
    {"lost-alarm", "7bc5bff247db48d88b348c99b6d97c90"},
    {"begins-anew", "93a20226984e4a7ba856e75ad09383fd"},
    {"dead-letter", "f5a477dd0f91424cb2dc8b50986c23d9"},
    {"dropped", "216ad1db84df47e081eed12591207fbc"},
    {"source-away", "f73dec93aea948d58bbe648978da35e4"},
    {"cut-off", "42da4c2eed944a4ab8beb3c5983bc0b2"},
    {"sink-away", "754bda61cd484b3981b8b98d7a52eafc"},
    {"purge-ahead", "3bf5297d0f0b47c0b3d9a3615920b8bd"},
    {"reload-refused", "b6ba6d0313624bb0b77546f68efaef00"},
    {"ended-64", "313c8eb11ed3479ab0bbaf523fbf4034"},
    {"ended-65", "b1ecfbeeea56424a92202c7967e501e6"},
    {"ended-69", "becdedc3415a492dad05bab460f2df67"},
    {"ended-70", "90e94fe810ba49928f2c17a20b952c10"},
    {"ended-74", "c879944a2b324a4f957db3c4cf5ad53d"},
    {"ended-77", "306d9cf12642460d9d689812c3403ac1"},
    {"ended-78", "ac4c91c55bcd4de1a21e0df56f79c08e"},
    {"ended-80", "f21af58ff37f4a198e7ce4d6c5488ed0"},
    {"ended-81", "373fcdd119854b7eb428c5a3f649282b"},
    {"ended-82", "363dd808ec2b4023b65d83e2bdf02f3c"},
    {"ended-83", "99e75fb64bfe4222b5708702cf4f846d"},
    {"ended-84", "b341fcd71d8642debab5303a90c54bf0"},
});

static_assert(kNames.size() == static_cast<std::size_t>(Notice::kEndedNoStart));

}  // namespace

const NoticeName& NameOf(Notice notice) { return kNames[static_cast<std::size_t>(notice) - 1]; }

std::span<const NoticeName> NoticeNames() { return kNames; }

Notice EndedWith(ExitCode code) {
  switch (code) {
    case ExitCode::kOk:
    case ExitCode::kNotReady:
    case ExitCode::kNotRunning:
      return Notice::kNone;
    case ExitCode::kUsage:
      return Notice::kEndedUsage;
    case ExitCode::kUndecodable:
      return Notice::kEndedUndecodable;
    case ExitCode::kUnreachable:
      return Notice::kEndedUnreachable;
    case ExitCode::kBug:
      return Notice::kEndedBug;
    case ExitCode::kState:
      return Notice::kEndedState;
    case ExitCode::kDenied:
      return Notice::kEndedDenied;
    case ExitCode::kConfiguration:
      return Notice::kEndedConfiguration;
    case ExitCode::kGap:
      return Notice::kEndedGap;
    case ExitCode::kDiverged:
      return Notice::kEndedDiverged;
    case ExitCode::kOtherActive:
      return Notice::kEndedOtherActive;
    case ExitCode::kCheckpoint:
      return Notice::kEndedCheckpoint;
    case ExitCode::kNoStart:
      return Notice::kEndedNoStart;
  }
  return Notice::kEndedBug;
}

}  // namespace outboxd
