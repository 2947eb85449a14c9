#include "daemon/mapping/topic_route.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/escaped.h"

namespace outboxd {
namespace {

// Enough for any sane expression; one that backtracks for ever ends within milliseconds.
constexpr std::uint32_t kStepsMax = 1'000'000;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeCompileContext {
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};
struct FreeMatch {
  void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

std::string TextOf(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

PCRE2_SPTR BytesOf(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

class TopicRoute::Impl {
 public:
  Result<void> Compile(std::string_view regex, std::string_view replacement) {
    int error = 0;
    PCRE2_SIZE at = 0;
    const std::unique_ptr<pcre2_compile_context, FreeCompileContext> context(
        pcre2_compile_context_create(nullptr));
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_ANY);  // What Java's dot does not match.
    code_.reset(pcre2_compile(BytesOf(regex), regex.size(), PCRE2_UTF, &error, &at, context.get()));
    if (!code_) {
      return Fail(ExitCode::kConfiguration, "'{}' is no regular expression: {} behind '{}'",
                  Escaped(regex), TextOf(error), Escaped(regex.substr(0, at)));
    }
    match_.reset(pcre2_match_data_create_from_pattern(code_.get(), nullptr));
    context_.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(context_.get(), kStepsMax);
    return TakeReplacement(replacement);
  }

  Result<void> Apply(std::string& topic) {
    const auto match = [&](std::uint32_t options) {
      return pcre2_match(code_.get(), BytesOf(topic), topic.size(), 0, options, match_.get(),
                         context_.get());
    };
    // The first match can be shorter than the whole text that fits.
    int found = match(PCRE2_ANCHORED | PCRE2_ENDANCHORED);
    if (found == PCRE2_ERROR_NOMATCH) return {};
    if (found >= 0) found = match(0);
    if (found < 0) {
      return Fail(ExitCode::kUndecodable, "'{}' cannot be matched: {}", Escaped(topic),
                  TextOf(found));
    }
    const PCRE2_SIZE* places = pcre2_get_ovector_pointer(match_.get());
    replaced_.assign(topic, 0, places[0]);
    for (const Part& part : parts_) {
      replaced_ += part.text;
      const PCRE2_SIZE begin = places[2 * part.group];
      const PCRE2_SIZE end = places[2 * part.group + 1];
      if (part.is_group && begin != PCRE2_UNSET) replaced_.append(topic, begin, end - begin);
    }
    replaced_.append(topic, places[1]);
    std::swap(topic, replaced_);
    return {};
  }

 private:
  struct Part {
    std::string text;  // What stands before the group.
    bool is_group = false;
    std::uint32_t group = 0;
  };

  Result<void> TakeReplacement(std::string_view text) {
    parts_.emplace_back();
    while (!text.empty()) {
      const char c = text.front();
      text.remove_prefix(1);
      if (c == '\\') {
        if (text.empty())
          return Fail(ExitCode::kConfiguration, "nothing stands behind its last \\");
        parts_.back().text += text.front();
        text.remove_prefix(1);
      } else if (c != '$') {
        parts_.back().text += c;
      } else if (auto taken = TakeGroup(text); !taken) {
        return taken;
      }
    }
    return {};
  }

  // What follows a "$".
  Result<void> TakeGroup(std::string_view& text) {
    std::uint32_t groups = 0;
    pcre2_pattern_info(code_.get(), PCRE2_INFO_CAPTURECOUNT, &groups);
    std::uint32_t group = 0;
    if (text.starts_with('{')) {
      const std::string name(text.substr(1, text.find('}') - 1));
      const int number = pcre2_substring_number_from_name(code_.get(), BytesOf(name));
      if (text.find('}') == std::string_view::npos || number < 0) {
        return Fail(ExitCode::kConfiguration, "'${}' names no group of the regular expression",
                    Escaped(text))
            .Hint("(?<name>...)");
      }
      group = static_cast<std::uint32_t>(number);
      text.remove_prefix(name.size() + 2);
    } else if (!text.empty() && IsDigit(text.front()) &&
               static_cast<std::uint32_t>(text.front() - '0') <= groups) {
      // As many digits as there are groups for.
      while (!text.empty() && IsDigit(text.front())) {
        const std::uint32_t next = 10 * group + static_cast<std::uint32_t>(text.front() - '0');
        if (next > groups) break;
        group = next;
        text.remove_prefix(1);
      }
    } else {
      return Fail(ExitCode::kConfiguration, "'${}' names no group of the regular expression",
                  Escaped(text))
          .Hint("'\\$' stands for a dollar");
    }
    parts_.back().is_group = true;
    parts_.back().group = group;
    parts_.emplace_back();
    return {};
  }

  std::unique_ptr<pcre2_code, FreeCode> code_;
  std::unique_ptr<pcre2_match_data, FreeMatch> match_;
  std::unique_ptr<pcre2_match_context, FreeContext> context_;
  std::vector<Part> parts_;
  std::string replaced_;
};

TopicRoute::TopicRoute(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TopicRoute::TopicRoute(TopicRoute&&) noexcept = default;
TopicRoute& TopicRoute::operator=(TopicRoute&&) noexcept = default;
TopicRoute::~TopicRoute() = default;

Result<TopicRoute> TopicRoute::Compile(std::string_view regex, std::string_view replacement) {
  auto impl = std::make_unique<Impl>();
  if (auto compiled = impl->Compile(regex, replacement); !compiled) {
    return std::unexpected(compiled.error());
  }
  return TopicRoute(std::move(impl));
}

Result<void> TopicRoute::Apply(std::string& topic) { return impl_->Apply(topic); }

}  // namespace outboxd
