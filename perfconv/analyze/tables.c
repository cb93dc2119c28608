// SPDX-License-Identifier: GPL-2.0
/* The quality of the capture, and each thread's time, group and verdict. */
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/state.h"

static void sum_waits(const struct analysis *a, struct report_quality *q)
{
	const struct profile *p = a->profile;
	uint64_t off = 0, with = 0;

	for (size_t i = 0; i < p->threads.n; i++) {
		const struct profile_times *t = &p->threads.data[i].times;

		off += t->off;
		with += t->stacks[WAIT_EQUAL] + t->stacks[WAIT_SNAPSHOT] + t->stacks[WAIT_CHAIN];
	}
	q->waits_with_stack = share(with, off);
}

static void sum_lines(const struct analysis *a, struct report_quality *q)
{
	const struct lines_counts *n = &a->from.lines;

	q->lines = share(n->given_leaves + n->given_callers, n->leaves + n->callers);
	q->has_lines = n->given_leaves + n->given_callers > 0;
}

static void judge(struct analysis *a)
{
	const struct report_quality *q = &a->report->quality;
	double complete = analysis__limit(a, RULE_QUALITY, 0);
	uint64_t known = 0;

	for (size_t i = 0; i < STACK_ENDINGS; i++)
		known += a->profile->endings[i];
	if (q->lost)
		analysis__whole(a, RULE_QUALITY, SEVERITY_MEDIUM,
				report__format(a->report, "%llu events lost",
					       (unsigned long long)q->lost),
				"times and counts near the losses are too low",
				"record with a larger buffer (-m 8M) or a lower rate (-F)",
				(double)q->lost);
	if (a->profile->has_dumps && known >= 20 && 100 * q->complete < complete)
		analysis__whole(
			a, RULE_QUALITY, SEVERITY_MEDIUM,
			report__format(a->report, "%.0f %% of the stacks are complete",
				       100 * q->complete),
			"callers are missing, so that time may be told of the wrong function",
			"record larger stack dumps (--call-graph dwarf,65528)",
			100 - 100 * q->complete);
	if (!q->has_waits)
		analysis__whole(
			a, RULE_QUALITY, SEVERITY_LOW, "only running time is known",
			"without switches nothing is known of waits: no rule on polling, locks, the "
			"GIL or a blocked event loop could look",
			"record with scripts/perf-pyrecord, or --switch-events -e "
			"sched:sched_switch",
			1);
}

void report_quality__make(struct analysis *a, uint64_t lost)
{
	struct report_quality *q = &a->report->quality;
	const struct profile *p = a->profile;
	uint64_t all = 0;

	for (size_t i = 0; i < STACK_ENDINGS; i++)
		all += p->endings[i];
	q->samples = p->samples;
	q->lost = lost;
	q->has_waits = p->exact;
	q->has_dumps = p->has_dumps;
	q->complete = share(p->endings[STACK_COMPLETE], all);
	q->stitched = share(p->stitched, all);
	q->truncated = share(p->endings[STACK_TRUNCATED], all);
	sum_waits(a, q);
	sum_lines(a, q);
	judge(a);
}

static int by_ns(const void *a, const void *b)
{
	const struct report_time *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void add_reasons(struct report *r, struct report_thread *out, const struct watched *t)
{
	for (size_t i = 0; i < REASONS; i++) {
		const char *name = reason__name((enum reason)i);

		if (t->reasons[i])
			vec__push(
				&out->reasons,
				((struct report_time){
					report__format(r, "%.*s", (int)strlen(name) - 2, name + 1),
					t->reasons[i] }));
	}
	if (out->reasons.n)
		qsort(out->reasons.data, out->reasons.n, sizeof(*out->reasons.data), by_ns);
}

static const char *group_of(const struct analysis *a, const struct profile_thread *t)
{
	const char *group = rules__group(a->from.rules, t->name);

	if (!*group)
		group = rules__group(a->from.rules, t->full);
	return *group ? group : t->python ? "python" : "native";
}

static void judge_thread(struct analysis *a, struct report_thread *out, size_t thread)
{
	const struct rule_target *target =
		rules__target(a->from.rules, a->from.scenario, out->group);
	double cpu = percent(out->on_cpu_ns, out->present_ns);
	double asleep = percent(out->asleep_ns, out->present_ns);
	double not_known = percent(a->threads.data[thread].reasons[REASON_NONE], out->present_ns);
	struct finding *f;

	if (!target || !out->has_waits || share(out->present_ns, a->duration) < LEAST_PRESENT)
		return;
	out->target = report__format(a->report, "CPU at most %g %%, asleep at least %g %%",
				     target->cpu_percent, target->asleep_percent);
	if (cpu <= target->cpu_percent && asleep < target->asleep_percent &&
	    asleep + not_known >= target->asleep_percent)
		return; /* waits for a reason that nothing tells may be sleep */
	out->verdict = cpu <= target->cpu_percent && asleep >= target->asleep_percent
			       ? VERDICT_OK
			       : VERDICT_OVER;
	if (out->verdict == VERDICT_OK)
		return;
	f = analysis__finding(a, RULE_TARGET, SEVERITY_MEDIUM, thread);
	if (!f)
		return;
	f->profile = out->name;
	f->headline = report__format(a->report, "CPU %.1f %%, asleep %.1f %%", cpu, asleep);
	f->text = report__format(a->report, "as a %s in scenario %s it should have: %s", out->group,
				 a->from.scenario, out->target);
	f->advice = "see this thread's other findings, or give it another target with --rules";
	finding__number(f, "cpu", cpu, "%");
	finding__number(f, "asleep", asleep, "%");
	f->amount = (double)out->on_cpu_ns;
}

static void add_times(struct report_thread *out, const struct watched *t)
{
	out->present_ns = t->present;
	out->on_cpu_ns = t->on_cpu;
	out->asleep_ns = t->asleep;
	out->unknown_ns = t->unknown;
	out->voluntary = t->voluntary;
	out->involuntary = t->involuntary;
}

void report_threads__make(struct analysis *a)
{
	const struct profile *p = a->profile;

	for (size_t i = 0; i < p->threads.n; i++) {
		struct report_thread *out = vec__add(&a->report->threads);

		out->name = report__string(a->report, p->threads.data[i].name);
		out->group = report__string(a->report, group_of(a, &p->threads.data[i]));
		out->pid = p->threads.data[i].pid;
		out->tid = p->threads.data[i].tid;
		out->has_waits = p->exact;
		out->target = "";
	}
	for (size_t i = 0; i < a->threads.n; i++) {
		const struct watched *t = &a->threads.data[i];
		struct report_thread *out;

		if (t->shown == REPORT_NO_THREAD)
			continue;
		out = &a->report->threads.data[t->shown];
		add_times(out, t);
		add_reasons(a->report, out, t);
		judge_thread(a, out, i);
	}
}
