// SPDX-License-Identifier: GPL-2.0
#include "perfconv/sidefile/steps.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"
#include "pyframes/src/pyframes_format.h"

void steps__release(struct steps *s)
{
	vec__release(&s->tasks);
	vec__release(&s->list);
}

/* Equal times keep the ring's order: a step ends before the next one begins. */
static int by_thread(const void *a, const void *b, void *list)
{
	const struct sidefile_step *x = &((struct sidefile_step *)list)[*(const uint32_t *)a];
	const struct sidefile_step *y = &((struct sidefile_step *)list)[*(const uint32_t *)b];

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x < y ? -1 : 1;
}

static void sort(struct steps *s)
{
	uint32_t *order = mem__alloc(s->list.n, sizeof(*order));
	struct sidefile_step *sorted = mem__alloc(s->list.n, sizeof(*sorted));

	for (uint32_t i = 0; i < s->list.n; i++)
		order[i] = i;
	qsort_r(order, s->list.n, sizeof(*order), by_thread, s->list.data);
	for (size_t i = 0; i < s->list.n; i++)
		sorted[i] = s->list.data[order[i]];
	free(s->list.data);
	s->list.data = sorted;
	s->list.cap = s->list.n;
	free(order);
}

static int by_id(const void *a, const void *b)
{
	const struct sidefile_task *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

void steps__read(struct steps *s, int fd, uint64_t offset, uint64_t entries, uint64_t head)
{
	struct pyframes_step *ring;
	uint64_t n = head < entries ? head : entries;

	if (s->tasks.n)
		qsort(s->tasks.data, s->tasks.n, sizeof(*s->tasks.data), by_id);
	if (!n || entries > STEPS_MAX_ENTRIES || entries & (entries - 1))
		return;
	ring = mem__alloc(n, sizeof(*ring)); /* fewer than the ring holds stand at its begin */
	if (!file__read_at(fd, ring, n * sizeof(*ring), offset)) {
		for (uint64_t i = head - n; i < head; i++) {
			const struct pyframes_step *e = &ring[i & (entries - 1)];

			vec__push(&s->list,
				  ((struct sidefile_step){ e->time_and_end >> 1, e->task, e->tid,
							   e->time_and_end & 1 }));
		}
		sort(s);
	}
	free(ring);
}

const struct sidefile_task *steps__task(const struct steps *s, uint32_t id)
{
	size_t n = vec__upto(&s->tasks, id, id);

	return n && s->tasks.data[n - 1].id == id ? &s->tasks.data[n - 1] : NULL;
}

size_t steps__first(const struct steps *s, uint32_t tid)
{
	return tid ? vec__upto(&s->list, tid, tid - 1) : 0;
}
