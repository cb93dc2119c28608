// SPDX-License-Identifier: GPL-2.0
/*
 * What wakes up again and again: functions that wait, with the rate, the regularity
 * and the jitter of it.
 *
 * Lengths and periods are counted in buckets, eight to an octave from 1 us on, so
 * that a median costs no memory for each wait.
 */
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/state.h"

#define LOWEST_BIT 10u /* of the first octave */
#define SHOWN_HABITS 40u
#define LEAST_WAITS 20u
#define NEAR_BUCKETS 2u /* on each side of the median: 19 % */

static uint32_t bucket_of(uint64_t ns)
{
	uint32_t bit, bucket;

	if (ns < 1u << LOWEST_BIT)
		return 0;
	bit = 63u - (uint32_t)__builtin_clzll(ns);
	bucket = (bit - LOWEST_BIT) * 8 + (uint32_t)(ns >> (bit - 3) & 7);
	return bucket < HABIT_BUCKETS ? bucket : HABIT_BUCKETS - 1;
}

static uint64_t value_of(uint32_t bucket)
{
	uint64_t eighth = (1ull << (bucket / 8 + LOWEST_BIT)) / 8;

	return eighth * (8 + bucket % 8) + eighth / 2;
}

static uint64_t sum_of(const uint32_t *buckets)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < HABIT_BUCKETS; i++)
		sum += buckets[i];
	return sum;
}

/* The bucket that holds the value below which @part of all are. */
static uint32_t quantile(const uint32_t *buckets, double part)
{
	double wanted = part * (double)sum_of(buckets);
	uint64_t sum = 0;

	for (uint32_t i = 0; i < HABIT_BUCKETS; i++) {
		sum += buckets[i];
		if ((double)sum > wanted)
			return i;
	}
	return 0;
}

static double near(const uint32_t *buckets, uint32_t middle)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < HABIT_BUCKETS; i++)
		if (i + NEAR_BUCKETS >= middle && i <= middle + NEAR_BUCKETS)
			sum += buckets[i];
	return share(sum, sum_of(buckets));
}

static bool counts(const struct stretch *s)
{
	return s->state == THREAD_WAITING &&
	       (s->reason == REASON_SLEEP || s->reason == REASON_POLL || s->reason == REASON_LOCK ||
		s->reason == REASON_SOCKET);
}

static bool has_line(const struct analysis *a, uint32_t frame)
{
	return frame != NO_FRAME && a->from.resolved->frames.data[frame].line;
}

/* Of equal stacks, one that tells the user's line. */
static void show_line(struct analysis *a, struct habit *h, const struct stretch *s)
{
	const struct stack_facts *facts = frames__facts(&a->frames, s->stack);

	if (h->loop || has_line(a, h->user) || !has_line(a, facts->user))
		return;
	h->frame = facts->python;
	h->user = facts->user;
	h->stack = s->stack;
}

static struct habit *habit_of(struct analysis *a, const struct stretch *s)
{
	const struct stack_facts *facts = frames__facts(&a->frames, s->stack);
	struct habits *h = &a->habits;
	size_t thread = a->threads.n - 1;
	bool loop = s->reason == REASON_POLL && facts->loop == LOOP_ITSELF;
	uint32_t frame = loop ? NO_FRAME : facts->python;
	uint64_t b = (uint64_t)frames__function(&a->frames, frame) << 32 | (uint64_t)loop << 8 |
		     s->reason;
	uint32_t key;

	if (h->list.n == HABITS_MAX) {
		key = idmap__find(&h->keys, thread, b);
		return key == IDMAP_NONE ? NULL : &h->list.data[key];
	}
	key = idmap__intern(&h->keys, thread, b);
	if (key == h->list.n) {
		struct habit *new = vec__add(&h->list);

		new->thread = thread;
		new->reason = s->reason;
		new->frame = frame;
		new->user = facts->user;
		new->stack = s->stack;
		new->loop = loop;
		new->first_ns = s->begin_ns;
	}
	show_line(a, &h->list.data[key], s);
	return &h->list.data[key];
}

void habits__thread(struct analysis *a)
{
	a->habits.last_plus_1 = 0;
}

/* What a thread does after a wait is that wait's, also if it has to wait for the GIL or a
 * CPU meanwhile. */
static void charge(struct habits *h, uint64_t ns)
{
	if (h->last_plus_1)
		h->list.data[h->last_plus_1 - 1].on_cpu += ns;
}

void habits__stretch(struct analysis *a, const struct stretch *s)
{
	struct habit *h = counts(s) ? habit_of(a, s) : NULL;
	uint64_t ns = s->end_ns - s->begin_ns;

	if (s->state == THREAD_RUNNING)
		charge(&a->habits, ns);
	if (counts(s))
		a->habits.last_plus_1 = h ? (size_t)(h - a->habits.list.data) + 1 : 0;
	if (!h)
		return;
	if (h->count)
		h->periods[bucket_of(s->begin_ns - h->last_begin)]++;
	h->waits[bucket_of(ns)]++;
	h->count++;
	h->sum_ns += ns;
	h->last_begin = s->begin_ns;
	h->end_ns = s->end_ns;
}

/* On a busy machine a timer's waits are longer, never shorter: then the lower quarter shows it. */
static double regularity(const struct habit *h, uint32_t median)
{
	double middle = near(h->waits, median), low = near(h->waits, quantile(h->waits, 0.25));

	return middle > low ? middle : low;
}

static struct report_periodic periodic_of(struct analysis *a, const struct habit *h)
{
	const struct watched *t = &a->threads.data[h->thread];
	const char *reason = reason__name(h->reason);
	uint32_t middle = quantile(h->periods, 0.5), wait = quantile(h->waits, 0.5);
	struct report_frame function = frames__report(&a->frames, a->report, h->frame);

	if (h->loop)
		function.name = "event loop";
	return (struct report_periodic){
		.function = function,
		.thread = t->shown,
		.reason = report__format(a->report, "%.*s", (int)strlen(reason) - 2, reason + 1),
		.waits = h->count,
		.rate_hz = (double)h->count / ((double)t->present / 1e9),
		.period_ns = value_of(middle),
		.jitter_ns = (value_of(quantile(h->periods, 0.75)) -
			      value_of(quantile(h->periods, 0.25))) /
			     2,
		.wait_ns = value_of(wait),
		.regular = regularity(h, wait),
	};
}

/* Of the event loop, the task that steps most is who wakes it. */
static uint32_t busiest_task(const struct analysis *a, size_t thread)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i < a->tasks.list.n; i++)
		if (a->tasks.list.data[i].thread == thread &&
		    (best == UINT32_MAX ||
		     a->tasks.list.data[i].steps > a->tasks.list.data[best].steps))
			best = i;
	return best;
}

static const char *who(struct analysis *a, const struct habit *h)
{
	uint32_t task = h->loop ? busiest_task(a, h->thread) : UINT32_MAX;
	const char *name;

	if (task == UINT32_MAX && h->loop)
		return "the event loop";
	if (h->user != NO_FRAME && h->user != h->frame && !h->loop)
		return report__format(a->report, "%s, through %s,", analysis__where(a, h->user),
				      frames__name(&a->frames, h->frame));
	if (!h->loop)
		return analysis__where(a, h->frame);
	name = strtab__get(&a->tasks.strings, a->tasks.list.data[task].name);
	return report__format(a->report, "the event loop, above all for task %s,", name);
}

static const char *advice(const struct habit *h)
{
	if (h->loop)
		return "sleep longer in that task, or wait for an event instead of looking again";
	if (h->reason == REASON_POLL)
		return "poll with a longer timeout: data end the wait at once anyway";
	if (h->reason == REASON_SLEEP)
		return "sleep longer, or wait for an event, a condition or a queue";
	return "wait without a timeout, or with a longer one: what it waits for ends it at once";
}

/* A sleep is short by itself; other waits may just be given much to do. */
static bool is_polling(const struct analysis *a, const struct habit *h,
		       const struct report_periodic *p)
{
	const struct watched *t = &a->threads.data[h->thread];
	double period = milliseconds(p->period_ns);
	double cycles = (double)h->count * (double)p->period_ns / (double)t->present;

	return h->count >= LEAST_WAITS && period <= analysis__limit(a, RULE_POLLING, 0) &&
	       100 * cycles >= analysis__limit(a, RULE_POLLING, 2) && h->reason != REASON_SOCKET &&
	       (h->reason == REASON_SLEEP ||
		(100 * p->regular >= analysis__limit(a, RULE_POLLING, 1) &&
		 milliseconds(p->wait_ns) <= analysis__limit(a, RULE_POLLING, 0) &&
		 2 * p->wait_ns > p->period_ns));
}

static void report_polling(struct analysis *a, const struct habit *h,
			   const struct report_periodic *p)
{
	const struct watched *t = &a->threads.data[h->thread];
	double cpu = percent(h->on_cpu, t->present);
	enum severity severity = p->rate_hz >= 200 && cpu >= 5	 ? SEVERITY_HIGH
				 : p->rate_hz >= 200 || cpu >= 1 ? SEVERITY_MEDIUM
								 : SEVERITY_LOW;
	struct finding *f = analysis__finding(a, RULE_POLLING, severity, h->thread);

	if (!f)
		return;
	f->headline = report__format(a->report, "%.0f/s, %.1f %% of a core", p->rate_hz, cpu);
	f->text = report__format(a->report, "%s waits (%s) %.1f ms at a time, again and again",
				 who(a, h), p->reason, milliseconds(p->wait_ns));
	f->advice = advice(h);
	analysis__evidence(a, f, h->stack, h->loop || h->user == NO_FRAME ? h->frame : h->user);
	finding__number(f, "rate", p->rate_hz, "/s");
	finding__number(f, "period", milliseconds(p->period_ns), "ms");
	finding__number(f, "jitter", milliseconds(p->jitter_ns), "ms");
	finding__number(f, "wait", milliseconds(p->wait_ns), "ms");
	finding__number(f, "regular", 100 * p->regular, "%");
	finding__number(f, "cpu", cpu, "%");
	f->amount = p->rate_hz;
}

static int by_rate(const void *a, const void *b)
{
	const struct report_periodic *x = a, *y = b;

	if (x->waits != y->waits)
		return x->waits > y->waits ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return strcmp(x->function.name, y->function.name);
}

void habits__report(struct analysis *a)
{
	struct report *r = a->report;

	for (size_t i = 0; i < a->habits.list.n; i++) {
		const struct habit *h = &a->habits.list.data[i];
		struct report_periodic p;

		if (h->count < LEAST_WAITS || a->threads.data[h->thread].shown == REPORT_NO_THREAD)
			continue;
		p = periodic_of(a, h);
		vec__push(&r->periodic, p);
		if (is_polling(a, h, &p))
			report_polling(a, h, &p);
	}
	if (r->periodic.n)
		qsort(r->periodic.data, r->periodic.n, sizeof(*r->periodic.data), by_rate);
	if (r->periodic.n > SHOWN_HABITS)
		r->periodic.n = SHOWN_HABITS;
}
