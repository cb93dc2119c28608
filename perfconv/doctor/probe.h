/* SPDX-License-Identifier: GPL-2.0 */
/*
 * probe - whether the kernel opens an event for us: it is asked, not guessed from
 * settings, since capabilities, seccomp and security modules decide, too.
 */
#ifndef PERFCONV_DOCTOR_PROBE_H
#define PERFCONV_DOCTOR_PROBE_H

#include <stdbool.h>
#include <sys/types.h>

#include "perfconv/doctor/recording.h"

/**
 * probe__event - open @e for process @pid (0: ours) on every CPU, and close it again
 * @kernel: what the kernel does for it counts, too
 * @registers: that go with a stack copy
 * Return: 0, or the kernel's -errno; -ENOENT also where tracefs does not describe the
 * tracepoint, or not to us.
 */
int probe__event(const struct recorded_event *e, bool kernel, uint64_t registers, pid_t pid);

/**
 * probe__recording - open all events of @r and map their buffers, as perf would
 * @too_large: set where the events opened and the buffers are refused
 * Return: 0 or -errno.
 */
int probe__recording(const struct recording *r, pid_t pid, bool *too_large);

#endif
