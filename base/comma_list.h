#pragma once

#include <string_view>
#include <vector>

namespace outboxd {

// What stands between the commas of `list`, as it stands there: one part more than there are
// commas, and of an empty text one empty part. Blanks around a part and empty parts are left to the
// caller, for lists differ in what they mean. The parts borrow from `list`.
[[nodiscard]] std::vector<std::string_view> SplitAtCommas(std::string_view list);

}  // namespace outboxd
