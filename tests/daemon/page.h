#pragma once

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace outboxd {

// The lines of a page of docs/.
inline std::vector<std::string> LinesOfPage(std::string_view name) {
  std::ifstream file(std::string(OUTBOXD_DOCS "/").append(name));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// The lines, each with its end; for messages, to be pasted into the page.
inline std::string Pasted(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text.append(line).append("\n");
  return text;
}

}  // namespace outboxd
