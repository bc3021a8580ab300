// A check of how a class is used, for debug builds. Commands that make sense only in some state of an object begin with one, so
// that a wrong call ends with a message at its own line and not with a wrong answer later.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cassert>

// A program may define its own before it includes ksparse; a test does so to see the checks fail.
#ifndef KSPARSE_ASSERT
#define KSPARSE_ASSERT(condition, message) assert((condition) && (message))
#endif
