// SPDX-License-Identifier: GPL-2.0
#include "perfconv/sidefile/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "pyframes/src/pyframes_format.h"

static bool add_stack(struct sidefile *s, struct cursor *c, uint64_t time_ns)
{
	struct sidefile_stack stack = { .time_ns = time_ns, .first = (uint32_t)s->frames.n };

	stack.tid = cursor__u32(c);
	stack.frames = cursor__u32(c);
	if (c->failed || stack.frames > cursor__left(c) / sizeof(struct pyframes_snapshot_frame))
		return false;
	for (uint32_t i = 0; i < stack.frames; i++) {
		struct sidefile_frame frame = { .code = cursor__u32(c) };

		frame.position = (int32_t)cursor__u32(c);
		vec__push(&s->frames, frame);
	}
	vec__push(&s->stacks, stack);
	return true;
}

bool snapshot__add(struct sidefile *s, struct cursor *c, uint64_t time_ns)
{
	size_t stacks = s->stacks.n, frames = s->frames.n;
	uint32_t threads;

	cursor__u32(c); /* why it was taken */
	threads = cursor__u32(c);
	for (uint32_t i = 0; i < threads; i++)
		if (!add_stack(s, c, time_ns)) {
			s->stacks.n = stacks;
			s->frames.n = frames;
			return false;
		}
	return !c->failed;
}

static int by_tid_and_time(const void *a, const void *b)
{
	const struct sidefile_stack *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

void snapshot__finish(struct sidefile *s)
{
	if (s->stacks.n)
		qsort(s->stacks.data, s->stacks.n, sizeof(*s->stacks.data), by_tid_and_time);
	for (uint32_t i = 0; i < s->codes.n; i++) {
		uint32_t id = s->codes.data[i].id;

		if (id > s->codes.n) /* ids are 1, 2, 3 ...: it is of no whole file */
			continue;
		while (s->code_by_id.n <= id)
			vec__push(&s->code_by_id, UINT32_MAX);
		s->code_by_id.data[id] = i;
	}
}

const struct sidefile_code *sidefile__code_by_id(const struct sidefile *s, uint32_t id)
{
	if (id >= s->code_by_id.n || s->code_by_id.data[id] == UINT32_MAX)
		return NULL;
	return &s->codes.data[s->code_by_id.data[id]];
}

const struct sidefile_stack *sidefile__stack_within(const struct sidefile *s, uint32_t tid,
						    uint64_t from_ns, uint64_t to_ns)
{
	struct sidefile_stack key = { .time_ns = from_ns, .tid = tid };
	size_t low = 0, high = s->stacks.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (by_tid_and_time(&s->stacks.data[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == s->stacks.n || s->stacks.data[low].tid != tid ||
	    s->stacks.data[low].time_ns > to_ns)
		return NULL;
	return &s->stacks.data[low];
}
