// SPDX-License-Identifier: GPL-2.0
#include "perfconv/profile/builder.h"

#include <stdlib.h>
#include <string.h>

#define NO_SLOT UINT32_MAX

struct profile_thread *builder__thread(struct builder *b, uint32_t id)
{
	const struct thread *t = &b->machine->threads.data[id];
	const char *name;
	struct profile_thread *out;

	while (b->slot.n <= id)
		vec__push(&b->slot, NO_SLOT);
	if (b->slot.data[id] != NO_SLOT)
		return &b->profile->threads.data[b->slot.data[id]];
	b->slot.data[id] = (uint32_t)b->profile->threads.n;
	out = vec__add(&b->profile->threads);
	out->id = id;
	out->pid = b->machine->processes.data[t->process].pid;
	out->tid = t->tid;
	out->comm = machine__comm(b->machine, id);
	name = python__thread_name(b->python, id);
	out->python = name != NULL;
	out->full = name ? name : out->comm;
	out->name = name	    ? mem__strdup(name)
		    : *out->comm    ? mem__strdup(out->comm)
		    : out->tid == 0 ? mem__strdup("[idle]")
				    : mem__format("thread %u", out->tid);
	return out;
}

void profile_thread__add(struct profile_thread *t, struct profile_slice slice)
{
	struct profile_slice *last = t->slices.n ? &t->slices.data[t->slices.n - 1] : NULL;

	t->end += slice.weight;
	if (!slice.weight)
		return;
	if (last && last->stack == slice.stack && last->off == slice.off) {
		last->weight += slice.weight;
		return;
	}
	vec__push(&t->slices, slice);
	t->pieces++;
}

void builder__add_python_threads(struct builder *b)
{
	for (uint32_t id = 0; id < b->machine->threads.n; id++)
		if (python__thread_name(b->python, id))
			(void)builder__thread(b, id);
}

static void rename_thread(struct profile_thread *t, char *name)
{
	free(t->name);
	t->name = name;
}

/* What is still equal (a tid that came back with its name) is numbered. */
static void number_equal_names(struct profile *p)
{
	struct strtab taken = { 0 };
	VEC(uint32_t) last = { 0 }; /* by name: the highest number that was given to it */

	for (size_t i = 0; i < p->threads.n; i++) {
		struct profile_thread *t = &p->threads.data[i];
		char *name = mem__strdup(t->name);
		size_t before = taken.n;
		uint32_t id = strtab__intern(&taken, t->name);

		while (taken.n == before) {
			rename_thread(t, mem__format("%s #%u", name, ++last.data[id]));
			strtab__intern(&taken, t->name);
		}
		vec__push(&last, 1);
		free(name);
	}
	strtab__release(&taken);
	vec__release(&last);
}

/* Several processes: say which; equal names: say the tid. */
static void make_names_unique(struct profile *p)
{
	struct profile_thread *t = p->threads.data;
	bool several = false;
	struct strtab strings = { 0 };
	uint32_t *counts = mem__alloc(p->threads.n, sizeof(*counts));

	for (size_t i = 0; i < p->threads.n; i++)
		several = several || t[i].pid != t[0].pid;
	for (size_t i = 0; several && i < p->threads.n; i++)
		rename_thread(&t[i], mem__format("%s (pid %u)", t[i].name, t[i].pid));
	for (size_t i = 0; i < p->threads.n; i++)
		counts[strtab__intern(&strings, t[i].name)]++;
	for (size_t i = 0; i < p->threads.n; i++)
		if (counts[strtab__intern(&strings, t[i].name)] > 1)
			rename_thread(&t[i], mem__format("%s (tid %u)", t[i].name, t[i].tid));
	number_equal_names(p);
	free(counts);
	strtab__release(&strings);
}

struct sort_key {
	uint32_t pid, tid;
	uint64_t start_ns;
	struct profile_thread thread;
};

static int by_process_and_start(const void *a, const void *b)
{
	const struct sort_key *x = a, *y = b;
	bool x_main = x->tid == x->pid, y_main = y->tid == y->pid;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x_main != y_main)
		return x_main ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static void sort_threads(struct builder *b)
{
	struct profile *p = b->profile;
	struct sort_key *keys = mem__alloc(p->threads.n, sizeof(*keys));

	for (size_t i = 0; i < p->threads.n; i++) {
		const struct profile_thread *t = &p->threads.data[i];

		keys[i] = (struct sort_key){ t->pid, t->tid,
					     b->machine->threads.data[t->id].start_ns, *t };
	}
	qsort(keys, p->threads.n, sizeof(*keys), by_process_and_start);
	for (size_t i = 0; i < p->threads.n; i++) {
		p->threads.data[i] = keys[i].thread;
		b->slot.data[keys[i].thread.id] = (uint32_t)i;
	}
	free(keys);
}

void builder__arrange(struct builder *b)
{
	sort_threads(b);
	make_names_unique(b->profile);
}

void builder__release(struct builder *b)
{
	vec__release(&b->slot);
}
