# cmake -DCOMMAND=compiler;flags -DWHAT=macro -DCOUNT=n -DWORDS=words -P refused.cmake: what refused.cpp has under a macro must be
# refused by n errors with these words, one for each line, and no other.
execute_process(COMMAND ${COMMAND} -D${WHAT}=1 "${CMAKE_CURRENT_LIST_DIR}/refused.cpp" OUTPUT_VARIABLE said ERROR_VARIABLE said)
string(REPLACE ";" "," lines "${said}")
string(REGEX MATCHALL "error: [^\n]*" errors "${lines}")
string(REGEX MATCHALL "error: [^\n]*${WORDS}" expected "${lines}")
list(LENGTH errors made)
list(LENGTH expected right)
if(NOT made EQUAL COUNT OR NOT right EQUAL COUNT)
  message(FATAL_ERROR "expected ${COUNT} errors with the words \"${WORDS}\", but ${right} of ${made} have them:\n${said}")
endif()
