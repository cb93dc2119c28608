// SPDX-License-Identifier: GPL-2.0
#include "perfconv/profile/filter.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static bool is_number(const char *pattern, uint32_t number)
{
	char *text = mem__format("%u", number);
	bool equal = !strcmp(text, pattern);

	free(text);
	return equal;
}

static bool thread_matches(const struct profile_thread *t, const char *pattern)
{
	return is_number(pattern, t->tid) || !fnmatch(pattern, t->name, 0) ||
	       !fnmatch(pattern, t->full, 0) || !fnmatch(pattern, t->comm, 0);
}

static bool uses_gil(const struct profile *p, const struct profile_thread *t)
{
	const struct resolved *r = p->resolved;

	if (t->times.reasons[REASON_GIL])
		return true;
	for (size_t i = 0; i < t->slices.n; i++) {
		const struct profile_slice *slice = &t->slices.data[i];

		for (uint32_t s = slice->off ? RESOLVE_NO_STACK : slice->stack;
		     s != RESOLVE_NO_STACK; s = resolved__parent(r, s))
			if (r->frames.data[resolved__leaf(r, s)].kind == FRAME_PYTHON)
				return true;
	}
	return false;
}

bool profile_filter__passes(const struct profile_filter *f, const struct profile *p,
			    const struct profile_thread *t)
{
	bool thread = !f || !f->threads_n, process = !f || !f->processes_n;
	const char *name = process ? "" : profile__process_name(p, t);

	for (size_t i = 0; !thread && i < f->threads_n; i++)
		thread = thread_matches(t, f->threads[i]);
	for (size_t i = 0; !process && i < f->processes_n; i++)
		process = is_number(f->processes[i], t->pid) || !fnmatch(f->processes[i], name, 0);
	return thread && process;
}

static void add_up(struct profile *p)
{
	p->weight = p->samples = p->stitched = 0;
	memset(p->endings, 0, sizeof(p->endings));
	for (size_t i = 0; i < p->threads.n; i++) {
		const struct profile_thread *t = &p->threads.data[i];

		p->weight += t->weight;
		p->samples += t->samples;
		p->stitched += t->stitched;
		for (size_t k = 0; k < STACK_ENDINGS; k++)
			p->endings[k] += t->endings[k];
	}
}

/* Takes @kept over. */
static size_t keep(struct profile *p, bool *kept)
{
	size_t n = 0;

	for (size_t i = 0; i < p->threads.n; i++) {
		if (kept[i])
			p->threads.data[n++] = p->threads.data[i];
		else
			profile_thread__release(&p->threads.data[i]);
	}
	p->threads.n = n;
	free(kept);
	add_up(p);
	return n;
}

size_t profile__filter(struct profile *p, const struct profile_filter *filter)
{
	bool *kept = mem__alloc(p->threads.n, sizeof(*kept));

	for (size_t i = 0; i < p->threads.n; i++)
		kept[i] = profile_filter__passes(filter, p, &p->threads.data[i]);
	return keep(p, kept);
}

size_t profile__filter_gil(struct profile *p)
{
	bool *kept = mem__alloc(p->threads.n, sizeof(*kept));

	for (size_t i = 0; i < p->threads.n; i++)
		kept[i] = uses_gil(p, &p->threads.data[i]);
	return keep(p, kept);
}
