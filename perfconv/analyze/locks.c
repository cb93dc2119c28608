// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that queue: for a lock that others hold, or for the GIL.
 *
 * A lock is told apart by its address, which the kernel was given. Who waits to be
 * told something (a condition, an event, a queue) does not queue.
 */
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/state.h"

#define LEAST_QUEUED 5u /* waits of a thread for one lock, that it counts as queueing */

void locks__stretch(struct analysis *a, const struct stretch *s)
{
	const struct stack_facts *facts;
	size_t thread = a->threads.n - 1;
	uint64_t ns = s->end_ns - s->begin_ns, process, key;
	struct lock_wait *w;
	uint32_t lock, id;

	if (s->state != THREAD_WAITING || s->reason != REASON_LOCK)
		return;
	facts = frames__facts(&a->frames, s->stack);
	if (facts->marks & MARK_WAITER || facts->python == NO_FRAME)
		return;
	process = analysis__process(a, thread);
	key = s->lock ? s->lock : frames__function(&a->frames, facts->python);
	lock = idmap__intern(&a->locks.keys, process << 1 | !s->lock, key);
	id = idmap__intern(&a->locks.waits, lock, thread);
	if (id == a->locks.list.n)
		vec__push(&a->locks.list, ((struct lock_wait){ .lock = lock, .thread = thread }));
	w = &a->locks.list.data[id];
	w->ns += ns;
	w->count++;
	if (ns > w->worst_ns) {
		w->worst_ns = ns;
		w->worst_begin = s->begin_ns;
		w->worst_stack = s->stack;
	}
}

/* All waits for one lock. */
struct queue {
	uint64_t ns, count;
	uint32_t threads;
	const struct lock_wait *worst; /* of the thread that waits longest in all */
};

static void report_queue(struct analysis *a, const struct queue *q)
{
	const struct watched *t = &a->threads.data[q->worst->thread];
	const struct stack_facts *facts = frames__facts(&a->frames, q->worst->worst_stack);
	uint32_t frame = facts->user != NO_FRAME ? facts->user : facts->python;
	double waiting = percent(q->worst->ns, t->present), per_s;
	enum severity severity;
	struct finding *f;

	per_s = (double)q->count / ((double)a->duration / 1e9);
	if (q->threads < 2 || waiting < analysis__limit(a, RULE_LOCK_CONVOY, 0) ||
	    per_s < analysis__limit(a, RULE_LOCK_CONVOY, 1))
		return;
	severity = waiting >= 2 * analysis__limit(a, RULE_LOCK_CONVOY, 0) ? SEVERITY_HIGH
									  : SEVERITY_MEDIUM;
	f = analysis__finding(a, RULE_LOCK_CONVOY, severity, q->worst->thread);
	if (!f)
		return;
	f->headline = report__format(a->report,
				     "%u threads, %.0f waits a second, %.1f %% of the time",
				     q->threads, per_s, waiting);
	f->text = report__format(a->report,
				 "%s waits for a lock that other threads hold most of "
				 "the time",
				 analysis__where(a, frame));
	f->advice = "hold the lock only for what needs it, not while waiting or computing; or give "
		    "each thread data of its own";
	analysis__evidence(a, f, q->worst->worst_stack, frame);
	analysis__worst(a, f, q->worst->worst_begin, q->worst->worst_ns);
	finding__number(f, "threads", q->threads, "");
	finding__number(f, "rate", per_s, "/s");
	finding__number(f, "waiting", waiting, "%");
	finding__number(f, "longest", milliseconds(q->worst->worst_ns), "ms");
	f->amount = (double)q->ns;
}

void locks__report(struct analysis *a)
{
	struct queue *queues = mem__alloc(a->locks.keys.n, sizeof(*queues));

	for (size_t i = 0; i < a->locks.list.n; i++) {
		const struct lock_wait *w = &a->locks.list.data[i];
		struct queue *q = &queues[w->lock];

		if (a->threads.data[w->thread].shown == REPORT_NO_THREAD)
			continue;
		q->ns += w->ns;
		q->count += w->count;
		q->threads += w->count >= LEAST_QUEUED;
		if (!q->worst || w->ns > q->worst->ns)
			q->worst = w;
	}
	for (size_t i = 0; i < a->locks.keys.n; i++)
		if (queues[i].worst)
			report_queue(a, &queues[i]);
	free(queues);
}

/* Who runs most in a process if it is let, but for @not_this. */
static size_t busiest(const struct analysis *a, uint32_t process, size_t not_this)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < a->threads.n; i++)
		if (i != not_this && analysis__process(a, i) == process &&
		    (best == SIZE_MAX || watched__wanted(&a->threads.data[i]) >
						 watched__wanted(&a->threads.data[best])))
			best = i;
	return best;
}

/* The stack of most of a thread's waits for the GIL. */
static uint32_t gil_stack(const struct analysis *a, const struct watched *t)
{
	uint32_t stack = RESOLVE_NO_STACK;
	uint64_t most = 0;

	for (size_t i = t->first; i < t->first + t->totals; i++)
		if (a->totals.data[i].reason == REASON_GIL && a->totals.data[i].ns > most) {
			most = a->totals.data[i].ns;
			stack = a->totals.data[i].stack;
		}
	return stack;
}

static const char *victims(struct analysis *a, uint32_t process, size_t worst, double limit)
{
	size_t n = 0;

	for (size_t i = 0; i < a->threads.n; i++)
		n += i != worst && analysis__process(a, i) == process &&
		     a->threads.data[i].present &&
		     percent(a->threads.data[i].reasons[REASON_GIL], a->threads.data[i].present) >=
			     limit;
	if (!n)
		return "this thread waits";
	return report__format(a->report, "this thread and %zu more wait", n);
}

static const char *holds(struct analysis *a, size_t holder, uint32_t frame)
{
	const char *name = analysis__name(a, holder);

	return report__format(a->report, " while %s runs %s%s", *name ? name : "another one",
			      analysis__where(a, frame),
			      a->threads.data[holder].spins ? " (see busy-wait)" : "");
}

/* What waits, in its own thread: the holder's function is not to be found there. */
static uint32_t waiter(struct analysis *a, uint32_t stack)
{
	const struct stack_facts *facts;

	if (stack == RESOLVE_NO_STACK)
		return NO_FRAME;
	facts = frames__facts(&a->frames, stack);
	return facts->user != NO_FRAME ? facts->user : facts->python;
}

static void report_convoy(struct analysis *a, size_t worst)
{
	const struct watched *t = &a->threads.data[worst];
	uint32_t process = analysis__process(a, worst), stack, frame, waits;
	size_t holder = busiest(a, process, worst);
	const struct watched *h = &a->threads.data[holder == SIZE_MAX ? worst : holder];
	double waiting = percent(t->reasons[REASON_GIL], t->present);
	struct finding *f;
	uint64_t ns;

	f = analysis__finding(a, RULE_GIL_CONVOY,
			      h->spins || waiting < 2 * analysis__limit(a, RULE_GIL_CONVOY, 0)
				      ? SEVERITY_MEDIUM
				      : SEVERITY_HIGH,
			      worst);
	if (!f)
		return;
	frame = analysis__top(a, h, &ns, &stack);
	f->headline = report__format(a->report, "%.1f %% of the time, longest %.1f ms", waiting,
				     milliseconds(t->gil_worst_ns));
	waits = waiter(a, gil_stack(a, t));
	f->text = report__format(a->report, "%s for the GIL%s",
				 victims(a, process, worst, analysis__limit(a, RULE_GIL_CONVOY, 0)),
				 holder == SIZE_MAX ? "; who has it is not among the threads shown"
						    : holds(a, holder, frame));
	f->advice = h->spins ? "let that thread wait instead of spinning"
			     : "let that thread work less at a time, or move its work to a process "
			       "or to native code that releases the GIL";
	analysis__evidence(a, f, gil_stack(a, t), holder == SIZE_MAX ? waits : frame);
	f->search = frames__report(&a->frames, a->report, waits).name;
	analysis__worst(a, f, t->gil_worst_begin, t->gil_worst_ns);
	finding__number(f, "waiting", waiting, "%");
	finding__number(f, "waits", (double)t->gil_waits, "");
	finding__number(f, "longest", milliseconds(t->gil_worst_ns), "ms");
	f->amount = (double)t->reasons[REASON_GIL];
}

/* One finding for each process: its worst victim. */
void gil__report(struct analysis *a)
{
	size_t n = a->from.machine->processes.n;
	size_t *worst = mem__alloc(n, sizeof(*worst)); /* index + 1 */

	for (size_t i = 0; i < a->threads.n; i++) {
		const struct watched *t = &a->threads.data[i];
		size_t *w = &worst[analysis__process(a, i)];
		double seconds = (double)t->present / 1e9;

		if (t->shown == REPORT_NO_THREAD || !t->present ||
		    percent(t->reasons[REASON_GIL], t->present) <
			    analysis__limit(a, RULE_GIL_CONVOY, 0) ||
		    (double)t->gil_waits < seconds * analysis__limit(a, RULE_GIL_CONVOY, 1))
			continue;
		if (!*w || t->reasons[REASON_GIL] > a->threads.data[*w - 1].reasons[REASON_GIL])
			*w = i + 1;
	}
	for (size_t i = 0; i < n; i++)
		if (worst[i])
			report_convoy(a, worst[i] - 1);
	free(worst);
}
