#include "sinks/stdout/stdout_family.h"

#include <unistd.h>

#include <utility>

#include "sinks/stdout/stdout_sink.h"

namespace outboxd::sinks {
namespace {

constexpr SinkWords kWords{.destination = "to standard output as one JSON object a line",
                           .receiver = "standard output",
                           .identity = "standard output",
                           .address_key = "sink.type",
                           .keep_advice = "see that its reader keeps messages of that age"};

class StdoutProbe final : public SinkProbe {
 public:
  SinkFacts Look(std::span<const TopicUse>) override {
    return {.identity = std::string(),
            .findings = {{Finding::Level::kOk, "sink", "standard output"}}};
  }
  Result<std::vector<std::string>> Topics() override { return std::vector<std::string>{}; }
  Result<std::optional<AgeLimit>> FindAgeLimit(const std::string&) override { return std::nullopt; }
};

class Family final : public SinkFamily {
 public:
  std::string_view name() const override { return "stdout"; }

  const SinkWords& words() const override { return kWords; }

  std::string library() const override { return ""; }

  std::span<const SettingKey> keys() const override { return {}; }
  std::string_view example() const override { return ""; }
  Result<void> CheckSetting(const Setting&) const override { return {}; }
  bool IsCredential(const Setting&) const override { return false; }
  bool RunsProgram(std::span<const Setting>) const override { return false; }
  Result<void> CheckTopicName(std::string_view) const override { return {}; }

  Result<std::unique_ptr<Sink>> MakeSink(SinkRequest request) const override {
    return std::make_unique<StdoutSink>(STDOUT_FILENO, std::move(request.may_publish));
  }
  Result<std::unique_ptr<SinkProbe>> MakeProbe(SinkRequest,
                                               std::chrono::milliseconds) const override {
    return std::make_unique<StdoutProbe>();
  }
  Result<std::unique_ptr<MessageReader>> MakeReader(SinkRequest,
                                                    std::chrono::milliseconds) const override {
    return Fail(ErrorKind::kConfiguration,
                "what went to standard output cannot be read back from there");
  }
};

}  // namespace

const SinkFamily& StdoutFamily() {
  static const Family family;
  return family;
}

}  // namespace outboxd::sinks
