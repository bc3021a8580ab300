// Assertions on how a class is used, for debug builds. A function that may only be called in a certain state of an object
// begins with one, so that a wrong call fails immediately with a message instead of giving a wrong result later.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cassert>

// A program may define its own macro before it includes ksparse. A test does so to see the assertions fail.
#ifndef KSPARSE_ASSERT
#define KSPARSE_ASSERT(condition, message) assert((condition) && (message))
#endif
