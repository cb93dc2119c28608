// SPDX-License-Identifier: GPL-2.0
#include "perfconv/profile/total.h"

#include <stdlib.h>
#include <string.h>

/* What is known of a stack in the thread at hand. */
struct moved {
	uint32_t thread_plus_1; /* whose this is; another: nothing is known yet */
	uint32_t stack;		/* the same upon the thread's frame */
	uint32_t slice;		/* its sum in p->total, or NO_SLICE */
};

#define NO_SLICE UINT32_MAX

struct totalling {
	struct profile *profile;
	struct resolver *resolver;
	struct moved *moved; /* by stack */
	VEC(uint32_t) path;
	uint32_t thread_plus_1;
	uint32_t root; /* the thread's frame alone */
};

/* The ancestors of @stack that are not yet known, innermost first, into the path. */
static uint32_t known_ancestor(struct totalling *t, uint32_t stack)
{
	t->path.n = 0;
	while (stack != RESOLVE_NO_STACK && t->moved[stack].thread_plus_1 != t->thread_plus_1) {
		vec__push(&t->path, stack);
		stack = resolved__parent(t->profile->resolved, stack);
	}
	return stack == RESOLVE_NO_STACK ? t->root : t->moved[stack].stack;
}

static struct moved *move(struct totalling *t, uint32_t stack)
{
	uint32_t at = known_ancestor(t, stack);

	for (size_t i = t->path.n; i-- > 0;) {
		uint32_t frame = resolved__leaf(t->profile->resolved, t->path.data[i]);

		at = resolver__push(t->resolver, at, frame);
		t->moved[t->path.data[i]] = (struct moved){ t->thread_plus_1, at, NO_SLICE };
	}
	return &t->moved[stack];
}

static void add(struct totalling *t, const struct profile_slice *slice)
{
	struct profile *p = t->profile;
	struct moved *m = move(t, slice->stack);

	if (m->slice == NO_SLICE) {
		m->slice = (uint32_t)p->total.n;
		vec__push(&p->total, ((struct profile_slice){ 0, m->stack, slice->off }));
	}
	p->total.data[m->slice].weight += slice->weight;
}

void total__make(struct profile *p, struct resolver *resolver)
{
	struct totalling t = { .profile = p, .resolver = resolver };

	t.moved = mem__alloc(p->resolved->stacks.n, sizeof(*t.moved));
	for (size_t i = 0; i < p->threads.n; i++) {
		const struct profile_thread *thread = &p->threads.data[i];
		uint32_t frame = resolver__label(resolver, FRAME_THREAD, thread->name);

		t.thread_plus_1 = (uint32_t)i + 1;
		t.root = resolver__push(resolver, RESOLVE_NO_STACK, frame);
		for (size_t k = 0; k < thread->slices.n; k++)
			if (thread->slices.data[k].stack != RESOLVE_NO_STACK)
				add(&t, &thread->slices.data[k]);
	}
	vec__release(&t.path);
	free(t.moved);
}
