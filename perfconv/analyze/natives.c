// SPDX-License-Identifier: GPL-2.0
/*
 * Which Python function is responsible for which native code: the kernel, the
 * interpreter's own parts (garbage collection, allocation, look-ups), libraries.
 */
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/state.h"

#define SHOWN_NATIVES 40u
#define TINY_SHARE 0.002
#define LIBRARY_IDS 0x7fffffffu

struct native {
	uint64_t ns, heaviest;
	uint32_t frame, library, stack;
	size_t thread;
};

struct summing {
	struct idmap keys; /* (thread, function), library */
	VEC(struct native) list;
	uint64_t on_cpu;
	/* the collector's, whoever caused it */
	uint64_t gc_ns;
	struct idmap gc_callers;
	VEC(struct native) gc_list;
};

static void add(struct native *n, const struct total *t, uint32_t frame, size_t thread)
{
	n->ns += t->ns;
	if (t->ns <= n->heaviest)
		return;
	n->heaviest = t->ns;
	n->stack = t->stack;
	n->frame = frame;
	n->thread = thread;
}

static void add_total(struct analysis *a, struct summing *s, const struct total *t, size_t thread)
{
	const struct stack_facts facts = *frames__facts(&a->frames, t->stack);
	uint32_t user = facts.user != NO_FRAME ? facts.user : facts.python;
	uint32_t key;

	s->on_cpu += t->ns;
	if (facts.marks & MARK_GC && facts.python != NO_FRAME) { /* not at the program's end */
		s->gc_ns += t->ns;
		key = idmap__intern(&s->gc_callers, thread, frames__function(&a->frames, user));
		if (key == s->gc_list.n)
			(void)vec__add(&s->gc_list);
		add(&s->gc_list.data[key], t, user, thread);
	}
	if (!facts.library || facts.python == NO_FRAME)
		return;
	key = idmap__intern(&s->keys,
			    (uint64_t)thread << 32 | frames__function(&a->frames, facts.python),
			    facts.library & LIBRARY_IDS);
	if (key == s->list.n) {
		(void)vec__add(&s->list);
		s->list.data[key].library = facts.library & LIBRARY_IDS;
	}
	add(&s->list.data[key], t, facts.python, thread);
}

static int by_time(const void *a, const void *b)
{
	const struct native *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return x->frame < y->frame ? -1 : x->frame > y->frame;
}

static void report_gc(struct analysis *a, struct summing *s)
{
	double part = percent(s->gc_ns, s->on_cpu);
	const struct native *most;
	enum severity severity;
	struct finding *f;

	if (!s->gc_list.n || part < analysis__limit(a, RULE_GC, 0) ||
	    percent(s->gc_ns, a->duration) < analysis__limit(a, RULE_GC, 1))
		return;
	qsort(s->gc_list.data, s->gc_list.n, sizeof(*s->gc_list.data), by_time);
	most = &s->gc_list.data[0];
	severity = part >= 2 * analysis__limit(a, RULE_GC, 0) ? SEVERITY_HIGH : SEVERITY_MEDIUM;
	f = analysis__finding(a, RULE_GC, severity, most->thread);
	if (!f)
		return;
	f->headline = report__format(a->report, "%.0f %% of the on-CPU time", part);
	f->text = report__format(a->report, "most of it while %s makes objects",
				 analysis__where(a, most->frame));
	f->advice = "make fewer objects that refer to each other and keep them shorter; raise "
		    "gc.set_threshold(), or gc.freeze() after start-up";
	analysis__evidence(a, f, most->stack, most->frame);
	finding__number(f, "share", part, "%");
	finding__number(f, "cpu", percent(s->gc_ns, a->duration), "%");
	f->amount = (double)s->gc_ns;
}

static void report_hot(struct analysis *a, const struct summing *s, const struct native *n,
		       const char *library)
{
	double part = percent(n->ns, s->on_cpu);
	struct finding *f;

	if (part < analysis__limit(a, RULE_NATIVE, 0) ||
	    percent(n->ns, a->duration) < analysis__limit(a, RULE_NATIVE, 1) ||
	    !strcmp(library, "interpreter"))
		return;
	f = analysis__finding(a, RULE_NATIVE, SEVERITY_INFO, n->thread);
	if (!f)
		return;
	f->headline = report__format(a->report, "%s: %.0f %% of the on-CPU time", library, part);
	f->text = report__format(a->report, "called by %s", analysis__where(a, n->frame));
	f->advice = "call it less often, or with more at a time";
	analysis__evidence(a, f, n->stack, n->frame);
	finding__number(f, "share", part, "%");
	finding__number(f, "cpu", percent(n->ns, a->duration), "%");
	f->amount = (double)n->ns;
}

static void add_threads(struct analysis *a, struct summing *s)
{
	for (size_t i = 0; i < a->threads.n; i++) {
		const struct watched *t = &a->threads.data[i];

		for (size_t k = t->first; k < t->first + t->totals; k++)
			if (t->shown != REPORT_NO_THREAD &&
			    a->totals.data[k].state == THREAD_RUNNING)
				add_total(a, s, &a->totals.data[k], i);
	}
}

void natives__report(struct analysis *a)
{
	struct summing s = { 0 };

	add_threads(a, &s);
	report_gc(a, &s);
	if (s.list.n)
		qsort(s.list.data, s.list.n, sizeof(*s.list.data), by_time);
	for (size_t i = 0; i < s.list.n && i < SHOWN_NATIVES; i++) {
		const struct native *n = &s.list.data[i];
		const char *library =
			report__string(a->report, strtab__get(&a->frames.libraries, n->library));

		if (share(n->ns, s.on_cpu) < TINY_SHARE)
			break;
		vec__push(&a->report->natives,
			  ((struct report_native){
				  .caller = frames__report(&a->frames, a->report, n->frame),
				  .library = library,
				  .thread = a->threads.data[n->thread].shown,
				  .ns = n->ns,
			  }));
		report_hot(a, &s, n, library);
	}
	idmap__release(&s.keys);
	idmap__release(&s.gc_callers);
	vec__release(&s.list);
	vec__release(&s.gc_list);
}
