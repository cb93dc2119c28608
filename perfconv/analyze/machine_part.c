// SPDX-License-Identifier: GPL-2.0
/*
 * What the machine had its part in: too few CPUs, a control group's limit, swap, a
 * low frequency. The last three are told by the recorder's looks at the machine.
 */
#include <string.h>

#include "perfconv/analyze/state.h"

static void note(struct analysis *a, const char *name, double value, const char *unit)
{
	vec__push(&a->report->machine, ((struct report_number){ name, unit, value }));
}

static void look_at_throttling(struct analysis *a, const struct machine_look *first,
			       const struct machine_look *last)
{
	uint64_t ns = (last->throttled_us - first->throttled_us) * 1000;
	uint64_t periods = last->throttled_periods - first->throttled_periods;
	double part = percent(ns, last->time_ns - first->time_ns);

	note(a, "throttled", part, "%");
	note(a, "throttled-periods", (double)periods, "");
	if (part >= analysis__limit(a, RULE_THROTTLED, 0))
		analysis__whole(
			a, RULE_THROTTLED, SEVERITY_HIGH,
			report__format(a->report, "%.1f %% of the time, %llu times", part,
				       (unsigned long long)periods),
			"the control group has used up its share of CPU time and stands still "
			"until the next period",
			"raise its cpu.max (CPUQuota= of the service, --cpus of the container)",
			part);
}

static void look_at_swap(struct analysis *a, const struct machine_look *first,
			 const struct machine_look *last)
{
	double seconds = (double)(last->time_ns - first->time_ns) / 1e9;
	double in = (double)(last->swapped_in - first->swapped_in) / seconds;
	double out = (double)(last->swapped_out - first->swapped_out) / seconds;

	note(a, "swapped-in", in, "pages/s");
	note(a, "swapped-out", out, "pages/s");
	if (in + out >= analysis__limit(a, RULE_SWAPPING, 0))
		analysis__whole(a, RULE_SWAPPING, SEVERITY_MEDIUM,
				report__format(a->report, "%.0f pages/s in, %.0f out", in, out),
				"the machine is short of memory: page faults wait for the disk",
				"let fewer programs run, or give the machine more memory",
				in + out);
}

static void look_at_frequency(struct analysis *a, const struct machine_look *first,
			      const struct machine_look *last)
{
	double now = (double)(first->mhz + last->mhz) / 2;
	double part = 100 * now / (double)last->max_mhz;

	note(a, "frequency", now, "MHz");
	note(a, "highest-frequency", (double)last->max_mhz, "MHz");
	if (part <= analysis__limit(a, RULE_CPU_SLOW, 0))
		analysis__whole(
			a, RULE_CPU_SLOW, SEVERITY_LOW,
			report__format(a->report, "%.0f of %.0f MHz", now, (double)last->max_mhz),
			"the same work takes longer than at full speed, and its share of a core "
			"looks larger",
			"compare only captures of one frequency: set the performance governor, or "
			"look after cooling",
			100 - part);
}

static void look_at_machine(struct analysis *a)
{
	const struct threads_file *f = a->from.threads;
	const struct machine_look *first, *last;

	if (!f || f->machine.n < 2)
		return;
	first = &f->machine.data[0];
	last = &f->machine.data[f->machine.n - 1];
	if (last->time_ns <= first->time_ns)
		return;
	if (first->has_throttled && last->has_throttled &&
	    last->throttled_us >= first->throttled_us)
		look_at_throttling(a, first, last);
	if (first->has_swap && last->has_swap && last->swapped_in >= first->swapped_in &&
	    last->swapped_out >= first->swapped_out)
		look_at_swap(a, first, last);
	if (first->mhz && last->mhz && last->max_mhz)
		look_at_frequency(a, first, last);
}

/* In the run queue though it could go on, or after what it waited for has come. */
static void look_at_queue(struct analysis *a, size_t thread)
{
	const struct watched *t = &a->threads.data[thread];
	double waiting = percent(t->runnable, t->present);
	double of = percent(t->runnable, t->runnable + t->on_cpu);
	struct finding *f;

	if (share(t->present, a->duration) < LEAST_PRESENT ||
	    waiting < analysis__limit(a, RULE_CPU_STARVED, 0) ||
	    of < analysis__limit(a, RULE_CPU_STARVED, 1))
		return;
	f = analysis__finding(a, RULE_CPU_STARVED, SEVERITY_MEDIUM, thread);
	if (!f)
		return;
	f->headline = report__format(a->report, "%.1f %% of the time, preempted %llu times",
				     waiting, (unsigned long long)t->involuntary);
	f->text = "it could run, but other threads have the CPUs";
	f->advice = "let less run beside it, or give it a CPU or a priority of its own";
	finding__number(f, "waiting", waiting, "%");
	finding__number(f, "of-wanted", of, "%");
	finding__number(f, "preempted", (double)t->involuntary, "");
	f->amount = (double)t->runnable;
}

/* As the kernel counts it: also the time from a wake-up to the CPU. */
static void note_queue(struct analysis *a)
{
	uint64_t queue = 0, runnable = 0;

	for (size_t i = 0; i < a->profile->threads.n; i++)
		queue += a->profile->threads.data[i].times.schedstat_queue;
	for (size_t i = 0; i < a->threads.n; i++)
		if (a->threads.data[i].shown != REPORT_NO_THREAD) {
			runnable += a->threads.data[i].runnable;
			look_at_queue(a, i);
		}
	if (a->profile->exact)
		note(a, "preempted", percent(runnable, a->duration), "% of a core");
	if (queue)
		note(a, "run-queue", percent(queue, a->duration), "% of a core");
}

void machine__report(struct analysis *a)
{
	note_queue(a);
	look_at_machine(a);
}
