// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that want a CPU all the time: one that asks the same thing again and
 * again in a small loop should wait instead; another one computes.
 *
 *     _bootstrap > run > _recv_body            the loop: innermost function that
 *                        |- is_set      5 %    nearly all of the time is in
 *                        `- _io_read   15 %    few functions below it, some of
 *                                              which only ask
 */
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/state.h"

#define LOOP_SHARE 0.85	   /* of the time it wants a CPU */
#define SMALL_FUNCTIONS 5u /* in a small loop, below it */
#define SMALL_DEPTH 3u
#define COUNTS_FROM 0.01 /* of the time: fewer is chance */

/* By function. */
struct inclusive {
	uint64_t ns, checked; /* with it on the stack; of that where something only asks */
	uint32_t seen;	      /* number of the last total counted */
	uint32_t frame;
	uint32_t stack; /* the heaviest */
	uint64_t heaviest;
	uint32_t depth;	  /* in Python functions, at least */
	uint32_t deepest; /* a stack goes below it */
};

struct wanting {
	struct inclusive *functions;
	uint32_t n;
	uint64_t ns; /* on a CPU, with a stack */
};

/* What it does when it is let: waits for a CPU or the GIL may have shorter stacks. */
static bool tells(const struct total *t)
{
	return t->state == THREAD_RUNNING && t->stack != RESOLVE_NO_STACK;
}

static void add_total(struct analysis *a, struct wanting *w, const struct total *t, uint32_t number)
{
	const struct resolved *r = a->from.resolved;
	const struct stack_facts facts = *frames__facts(&a->frames, t->stack);
	uint32_t below = 0;

	w->ns += t->ns;
	for (uint32_t s = t->stack; s != RESOLVE_NO_STACK; s = resolved__parent(r, s)) {
		uint32_t frame = resolved__leaf(r, s);
		struct inclusive *f;

		if (r->frames.data[frame].kind != FRAME_PYTHON)
			continue;
		f = &w->functions[frames__function(&a->frames, frame)];
		if (f->seen == number) {
			below++;
			continue;
		}
		f->seen = number;
		f->ns += t->ns;
		f->depth = facts.depth - below;
		if (facts.marks & MARK_CHECK)
			f->checked += t->ns;
		if (below > f->deepest)
			f->deepest = below;
		if (t->ns > f->heaviest) {
			f->heaviest = t->ns;
			f->stack = t->stack;
			f->frame = frame;
		}
		below++;
	}
}

static void add_thread(struct analysis *a, struct wanting *w, const struct watched *t)
{
	for (size_t i = t->first; i < t->first + t->totals; i++)
		(void)frames__facts(&a->frames, a->totals.data[i].stack);
	w->n = frames__functions(&a->frames);
	w->functions = mem__alloc(w->n, sizeof(*w->functions));
	for (size_t i = t->first; i < t->first + t->totals; i++)
		if (tells(&a->totals.data[i]))
			add_total(a, w, &a->totals.data[i], (uint32_t)(i - t->first) + 1);
}

/* The innermost function that nearly all of the time is in. */
static const struct inclusive *loop_of(const struct wanting *w)
{
	const struct inclusive *best = NULL;

	for (uint32_t i = 0; i < w->n; i++) {
		const struct inclusive *f = &w->functions[i];

		if (share(f->ns, w->ns) >= LOOP_SHARE && f->heaviest &&
		    (!best || f->depth > best->depth))
			best = f;
	}
	return best;
}

/* How many functions it calls, directly or not, that can be seen. */
static uint32_t functions_below(const struct wanting *w, const struct inclusive *loop)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->n; i++)
		n += w->functions[i].depth > loop->depth &&
		     share(w->functions[i].ns, w->ns) >= COUNTS_FROM;
	return n;
}

/* The two that it calls most, with their shares: what it asks. */
static const char *asked(struct analysis *a, const struct wanting *w, const struct inclusive *loop)
{
	const struct inclusive *most[2] = { NULL, NULL };
	const char *text = "";

	for (uint32_t i = 0; i < w->n; i++) {
		const struct inclusive *f = &w->functions[i];

		if (f->depth != loop->depth + 1 || share(f->ns, w->ns) < COUNTS_FROM ||
		    !f->heaviest)
			continue;
		if (!most[0] || f->ns > most[0]->ns) {
			most[1] = most[0];
			most[0] = f;
		} else if (!most[1] || f->ns > most[1]->ns) {
			most[1] = f;
		}
	}
	for (size_t i = 0; i < 2 && most[i]; i++)
		text = report__format(a->report, "%s%s %.0f %% of it in %s", text,
				      *text ? "," : ":", percent(most[i]->ns, loop->ns),
				      frames__name(&a->frames, most[i]->frame));
	return text;
}

static void report_spin(struct analysis *a, size_t thread, const struct wanting *w,
			const struct inclusive *loop)
{
	struct watched *t = &a->threads.data[thread];
	struct finding *f = analysis__finding(a, RULE_BUSY_WAIT, SEVERITY_HIGH, thread);

	t->spins = true;
	if (!f)
		return;
	f->headline = report__format(a->report, "%.1f %% of a core, %.1f s of %.1f s",
				     percent(t->on_cpu, t->present), (double)t->on_cpu / 1e9,
				     (double)t->present / 1e9);
	f->text = report__format(a->report, "%s asks again and again and never waits%s",
				 analysis__where(a, loop->frame), asked(a, w, loop));
	f->advice = "wait for an event, a condition, a queue or a socket with a timeout; or sleep "
		    "some milliseconds between two looks";
	analysis__evidence(a, f, loop->stack, loop->frame);
	analysis__worst(a, f, t->longest_awake_begin, t->longest_awake_ns);
	finding__number(f, "cpu", percent(t->on_cpu, t->present), "%");
	finding__number(f, "asleep", percent(t->asleep, t->present), "%");
	finding__number(f, "in-loop", percent(loop->ns, w->ns), "%");
	finding__number(f, "asking", percent(loop->checked, loop->ns), "%");
	f->amount = (double)t->on_cpu;
}

static void report_computing(struct analysis *a, size_t thread)
{
	const struct watched *t = &a->threads.data[thread];
	uint32_t stack, frame;
	struct finding *f;
	uint64_t ns;

	frame = analysis__top(a, t, &ns, &stack);
	if (frame == NO_FRAME || percent(ns, t->on_cpu) < analysis__limit(a, RULE_CPU_BOUND, 1))
		return;
	f = analysis__finding(a, RULE_CPU_BOUND, SEVERITY_MEDIUM, thread);
	if (!f)
		return;
	f->headline = report__format(a->report, "%.1f %% of a core, %.0f %% of it in one function",
				     percent(t->on_cpu, t->present), percent(ns, t->on_cpu));
	f->text = report__format(a->report, "%s and what it calls keep this thread busy",
				 analysis__where(a, frame));
	f->advice = "if it waits for something, let it sleep; if it computes, the other threads "
		    "wait for the GIL: use a process, or native code that releases it";
	analysis__evidence(a, f, stack, frame);
	analysis__worst(a, f, t->longest_awake_begin, t->longest_awake_ns);
	finding__number(f, "cpu", percent(t->on_cpu, t->present), "%");
	finding__number(f, "in-function", percent(ns, t->on_cpu), "%");
	f->amount = (double)t->on_cpu;
}

static void look_at(struct analysis *a, size_t thread)
{
	const struct watched *t = &a->threads.data[thread];
	struct wanting w = { 0 };
	const struct inclusive *loop;

	add_thread(a, &w, t);
	loop = loop_of(&w);
	if (loop && loop->deepest <= SMALL_DEPTH && functions_below(&w, loop) <= SMALL_FUNCTIONS &&
	    percent(loop->checked, loop->ns) >= analysis__limit(a, RULE_BUSY_WAIT, 2))
		report_spin(a, thread, &w, loop);
	else if (percent(watched__wanted(t), t->present) >= analysis__limit(a, RULE_CPU_BOUND, 0))
		report_computing(a, thread);
	free(w.functions);
}

void busy__report(struct analysis *a)
{
	for (size_t i = 0; i < a->threads.n; i++) {
		const struct watched *t = &a->threads.data[i];

		if (t->shown != REPORT_NO_THREAD &&
		    share(t->present, a->duration) >= LEAST_PRESENT &&
		    percent(watched__wanted(t), t->present) >=
			    analysis__limit(a, RULE_BUSY_WAIT, 0) &&
		    percent(t->asleep, t->present) <= analysis__limit(a, RULE_BUSY_WAIT, 1))
			look_at(a, i);
	}
}
