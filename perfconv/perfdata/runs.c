// SPDX-License-Identifier: GPL-2.0
/*
 * A binary heap holds the first entry of every run that is not empty.  When one
 * is taken out, its run's next takes its place.  Should a capture have more runs
 * than RUNS_MAX, what fits none of them goes into the heap as it is.
 *
 * Invariant: last_ns falls from run to run.  A new run is made only for an entry
 * below all of them, and an entry goes to the first run that is not above it.
 */
#include "perfconv/perfdata/runs.h"

#include <stdlib.h>
#include <string.h>

#define NO_RUN RUNS_MAX
#define NUMBER_MASK ((1ull << RUNS_NUMBER_BITS) - 1)

/*
 * Short runs need little.  The blocks of a long one double up to 1.5 MiB: so large,
 * each is a mapping of its own, which goes back to the system as soon as it is used up.
 */
#define FIRST_ENTRIES 340u
#define MOST_ENTRIES 65536u

struct runs_block {
	struct runs_block *next;
	uint32_t front, n, cap; /* entries [front, n) wait */
	struct runs_entry entries[];
};

static void free_blocks(struct runs_block *b)
{
	while (b) {
		struct runs_block *next = b->next;

		free(b);
		b = next;
	}
}

void runs__release(struct runs *r)
{
	for (size_t i = 0; i < r->list.n; i++)
		free_blocks(r->list.data[i].first);
	free(r->spare);
	vec__release(&r->list);
	vec__release(&r->heap);
	memset(r, 0, sizeof(*r));
}

static bool before(const struct runs_entry *a, const struct runs_entry *b)
{
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns;
	return a->number < b->number;
}

static void heap__push(struct runs *r, const struct runs_entry *e)
{
	size_t i = r->heap.n;

	vec__push(&r->heap, *e);
	for (; i && before(e, &r->heap.data[(i - 1) / 2]); i = (i - 1) / 2)
		r->heap.data[i] = r->heap.data[(i - 1) / 2];
	r->heap.data[i] = *e;
}

/* Put @e in the first one's place. */
static void heap__replace(struct runs *r, struct runs_entry e)
{
	struct runs_entry *heap = r->heap.data;
	size_t i = 0, child;

	while ((child = 2 * i + 1) < r->heap.n) {
		if (child + 1 < r->heap.n && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &e))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = e;
}

/* Behind @last, or the first of its run. */
static struct runs_block *new_block(struct runs *r, const struct runs_block *last)
{
	uint32_t cap = last ? 2 * last->cap : FIRST_ENTRIES;
	struct runs_block *b = r->spare;

	cap = cap < MOST_ENTRIES ? cap : MOST_ENTRIES;
	if (b && b->cap == cap)
		r->spare = NULL;
	else
		b = mem__alloc(1, sizeof(*b) + cap * sizeof(*b->entries));
	b->next = NULL;
	b->front = b->n = 0;
	b->cap = cap;
	return b;
}

/* The first run whose last time is not above @time_ns; list.n: none. */
static size_t find_run(const struct runs *r, uint64_t time_ns)
{
	size_t low = 0, high = r->list.n;

	if (r->latest < high && r->list.data[r->latest].last_ns <= time_ns &&
	    (!r->latest || r->list.data[r->latest - 1].last_ns > time_ns))
		return r->latest;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->list.data[middle].last_ns <= time_ns)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Behind the run's last entry; the first of a run is in the heap alone. */
static void append(struct runs *r, struct run *run, const struct runs_entry *e)
{
	struct runs_block *b = run->last;

	if (!b || b->n == b->cap) {
		b = new_block(r, b);
		if (run->last)
			run->last->next = b;
		else
			run->first = b;
		run->last = b;
	}
	b->entries[b->n++] = *e;
}

void runs__add(struct runs *r, struct runs_entry e)
{
	size_t at = find_run(r, e.time_ns);

	e.number = r->added++ & NUMBER_MASK;
	e.run = (at < RUNS_MAX ? at : NO_RUN) & NO_RUN;
	if (at < r->list.n) {
		r->latest = at;
		r->list.data[at].last_ns = e.time_ns;
		if (r->list.data[at].in_heap) {
			append(r, &r->list.data[at], &e);
			return;
		}
		r->list.data[at].in_heap = true;
	} else if (at < RUNS_MAX) {
		r->latest = at;
		vec__push(&r->list, ((struct run){ .last_ns = e.time_ns, .in_heap = true }));
	}
	heap__push(r, &e);
}

const struct runs_entry *runs__first(const struct runs *r)
{
	return r->heap.n ? &r->heap.data[0] : NULL;
}

static void free_first_block(struct runs *r, struct run *run)
{
	struct runs_block *b = run->first;

	run->first = b->next;
	if (!run->first)
		run->last = NULL;
	if (r->spare)
		free(b);
	else
		r->spare = b;
}

/* The next of the run whose first entry was taken; it moves into the heap. */
static bool next_of_run(struct runs *r, size_t at, struct runs_entry *e)
{
	struct run *run = &r->list.data[at];

	if (!run->first) {
		run->in_heap = false;
		return false;
	}
	*e = run->first->entries[run->first->front++];
	if (run->first->front == run->first->n)
		free_first_block(r, run);
	return true;
}

struct runs_entry runs__pop(struct runs *r)
{
	struct runs_entry e = r->heap.data[0], next;

	if (e.run != NO_RUN && next_of_run(r, e.run, &next)) {
		heap__replace(r, next);
	} else {
		r->heap.n--;
		heap__replace(r, r->heap.data[r->heap.n]);
	}
	return e;
}
