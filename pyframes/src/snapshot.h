/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - every thread's Python stack, written into the side file.
 */
#ifndef PYFRAMES_SNAPSHOT_H
#define PYFRAMES_SNAPSHOT_H

#include "cpython.h"
#include "pyframes_format.h"

/**
 * snapshot__take() - writes one snapshot record
 *
 * Threads whose native id is not known are left out.  No exception may be set on
 * entry, and none is left.  Needs the GIL and a valid session.
 *
 * Return: 0, or -errno when there was no memory or no room, or while there are
 * threads that this GIL does not stop (-EBUSY).
 */
int snapshot__take(enum pyframes_snapshot_reason reason);

/** snapshot__time_ns() - when the last snapshot was taken (CLOCK_MONOTONIC), 0: never */
uint64_t snapshot__time_ns(void);

#endif
