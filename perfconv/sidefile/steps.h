/* SPDX-License-Identifier: GPL-2.0 */
/*
 * steps - when asyncio's tasks ran, from the ring of a side file: begins and ends
 * of steps, the newest of them if there were more than the ring holds.
 */
#ifndef PERFCONV_SIDEFILE_STEPS_H
#define PERFCONV_SIDEFILE_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/mem.h"

#define STEPS_MAX_ENTRIES (1u << 24)

struct sidefile_task {
	uint32_t id;
	const char *name, *coroutine; /* the side file's */
};

struct sidefile_step {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint32_t task, tid;
	bool end; /* of the step; else its begin */
};

/* Zero-initialised is empty. */
struct steps {
	VEC(struct sidefile_task) tasks; /* sorted by id */
	VEC(struct sidefile_step) list;	 /* sorted by (tid, time) */
};

void steps__release(struct steps *s);

/**
 * steps__read - the ring of @entries entries at @offset of @fd, of which @head were written
 * A ring that is not all there, or of an odd size, leaves the list empty.
 */
void steps__read(struct steps *s, int fd, uint64_t offset, uint64_t entries, uint64_t head);

/** steps__task - the task with @id, or NULL. */
const struct sidefile_task *steps__task(const struct steps *s, uint32_t id);

/** steps__first - index in the list of the first step of @tid; list.n if there is none. */
size_t steps__first(const struct steps *s, uint32_t tid);

#endif
