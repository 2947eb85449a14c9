# Writes the page as a C++ source: cmake -DPAGE=FILE -DSOURCE=FILE -P embed_page.cmake
# A string literal has a length that every compiler takes; pieces of one are put together.
file(READ ${PAGE} text)
string(LENGTH "${text}" length)
set(pieces "")
set(begin 0)
while(begin LESS length)
  string(SUBSTRING "${text}" ${begin} 8000 piece)
  string(APPEND pieces "\n    R\"page(${piece})page\"")
  math(EXPR begin "${begin} + 8000")
endwhile()
file(WRITE ${SOURCE} "#include \"daemon/http/page.h\"

namespace outboxd {

std::string_view PageText() {
  return std::string_view(${pieces});
}

}  // namespace outboxd
")
