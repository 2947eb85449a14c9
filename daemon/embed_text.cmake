# Writes a text file as a C++ source with a function that returns it:
# cmake -DTEXT=FILE -DSOURCE=FILE -DHEADER=FILE -DFUNCTION=NAME -P embed_text.cmake
# A string literal has a length that every compiler takes; pieces of one are put together.
file(READ ${TEXT} text)
string(LENGTH "${text}" length)
set(pieces "")
set(begin 0)
while(begin LESS length)
  string(SUBSTRING "${text}" ${begin} 8000 piece)
  string(APPEND pieces "\n    R\"text(${piece})text\"")
  math(EXPR begin "${begin} + 8000")
endwhile()
file(WRITE ${SOURCE} "#include \"${HEADER}\"

namespace outboxd {

std::string_view ${FUNCTION}() {
  return std::string_view(${pieces});
}

}  // namespace outboxd
")
