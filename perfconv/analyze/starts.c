// SPDX-License-Identifier: GPL-2.0
/*
 * How long processes take to start and to stop, if that was captured: from the main
 * thread's birth to its event loop's first poll, or without a loop to its first long
 * wait; and from its loop's last poll to its end.
 */
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/state.h"

#define LONG_WAIT_NS 500000000u
#define LONGEST_BIRTH_NS 5000000000u /* from the capture's begin to Python's, if it began there */

/* perf's own child is not seen to be born, but it starts Python in the capture. */
static bool started_python(struct analysis *a)
{
	const struct sidefile *file = python__side_file(a->from.python, analysis__thread(a)->id);

	return a->from.monotonic && file && file->start_ns > a->from.begin_ns &&
	       file->start_ns < a->from.begin_ns + LONGEST_BIRTH_NS;
}

void starts__thread(struct analysis *a)
{
	const struct thread *t = &a->from.machine->threads.data[analysis__thread(a)->id];
	const struct process *p = &a->from.machine->processes.data[t->process];

	a->starts.watching = t->tid == p->pid && (p->start_ns || started_python(a));
	if (!a->starts.watching)
		return;
	vec__push(&a->starts.list, ((struct start){ .thread = a->threads.n - 1 }));
}

/* Its loop polls, or it waits long for something to come. */
static bool is_ready(const struct stretch *s, const struct stack_facts *facts)
{
	if (s->state != THREAD_WAITING || facts->marks & MARK_IMPORT)
		return false;
	if (s->reason == REASON_POLL && facts->loop == LOOP_ITSELF)
		return true;
	return s->end_ns - s->begin_ns >= LONG_WAIT_NS &&
	       (s->reason == REASON_POLL || s->reason == REASON_LOCK ||
		s->reason == REASON_SOCKET || s->reason == REASON_PIPE ||
		s->reason == REASON_CHILD || s->reason == REASON_SIGNAL);
}

static void add(struct start *start, const struct stretch *s)
{
	uint32_t at = idmap__intern(&start->stacks, s->stack, 0);

	if (at == start->ns.n)
		vec__push(&start->ns, 0);
	start->ns.data[at] += s->end_ns - s->begin_ns;
}

void starts__stretch(struct analysis *a, const struct stretch *s)
{
	struct start *start = a->starts.list.n ? &a->starts.list.data[a->starts.list.n - 1] : NULL;
	const struct stack_facts *facts;

	if (!a->starts.watching)
		return;
	if (s->state == THREAD_ABSENT) {
		if (start->begin_ns && !start->exit_ns)
			start->exit_ns = s->begin_ns;
		return;
	}
	facts = frames__facts(&a->frames, s->stack);
	if (!start->begin_ns)
		start->begin_ns = s->begin_ns;
	if (s->state == THREAD_WAITING && s->reason == REASON_POLL && facts->loop == LOOP_ITSELF)
		start->stop_ns = s->end_ns;
	if (start->ended)
		return;
	if (is_ready(s, facts)) {
		start->ended = true;
		start->end_ns = s->begin_ns;
		return;
	}
	if (s->state == THREAD_RUNNABLE)
		start->queued_ns += s->end_ns - s->begin_ns;
	else if (facts->marks & MARK_IMPORT)
		start->imports_ns += s->end_ns - s->begin_ns;
	add(start, s);
}

struct most {
	uint32_t frame, stack;
	uint64_t ns;
};

/* The user's function that most of the time is in, by itself or below it. */
static struct most most_of(struct analysis *a, const struct start *start)
{
	struct most best = { NO_FRAME, RESOLVE_NO_STACK, 0 };
	uint64_t *sums, *heaviest;
	uint32_t *stacks;

	for (size_t i = 0; i < start->ns.n; i++)
		(void)frames__facts(&a->frames, (uint32_t)start->stacks.keys[i].a);
	sums = mem__alloc(frames__functions(&a->frames), sizeof(*sums));
	heaviest = mem__alloc(frames__functions(&a->frames), sizeof(*heaviest));
	stacks = mem__alloc(frames__functions(&a->frames), sizeof(*stacks));
	for (size_t i = 0; i < start->ns.n; i++) {
		uint32_t stack = (uint32_t)start->stacks.keys[i].a;
		uint32_t frame = frames__facts(&a->frames, stack)->user;
		uint32_t function = frames__function(&a->frames, frame);

		if (frame == NO_FRAME)
			continue;
		sums[function] += start->ns.data[i];
		if (start->ns.data[i] > heaviest[function]) {
			heaviest[function] = start->ns.data[i];
			stacks[function] = stack;
		}
		if (sums[function] > best.ns)
			best = (struct most){ frame, stacks[function], sums[function] };
	}
	if (best.frame != NO_FRAME) /* at the line of the heaviest stack */
		best.frame = frames__facts(&a->frames, best.stack)->user;
	free(sums);
	free(heaviest);
	free(stacks);
	return best;
}

static void add_phase(struct analysis *a, const char *name, uint64_t begin_ns, uint64_t ns,
		      const struct most *most)
{
	vec__push(&a->report->phases,
		  ((struct report_phase){
			  .name = name,
			  .begin_ns = begin_ns > a->begin_ns ? begin_ns - a->begin_ns : 0,
			  .ns = ns,
			  .function = frames__report(&a->frames, a->report,
						     most ? most->frame : NO_FRAME),
			  .function_ns = most ? most->ns : 0,
		  }));
}

static void report_slow(struct analysis *a, const struct start *s, const struct most *most)
{
	uint64_t ns = s->end_ns - s->begin_ns;
	struct finding *f;

	if ((double)(ns - s->queued_ns) / 1e9 < analysis__limit(a, RULE_SLOW_START, 0))
		return; /* a busy machine is not its own doing */
	f = analysis__finding(a, RULE_SLOW_START, SEVERITY_MEDIUM, s->thread);
	if (!f)
		return;
	f->headline = report__format(a->report, "%.1f s, %.1f s of it in imports", (double)ns / 1e9,
				     (double)s->imports_ns / 1e9);
	f->advice = "import what is needed late in the functions that need it, and do slow set-up "
		    "in the background once the program answers";
	if (percent(most->ns, ns) >= analysis__limit(a, RULE_SLOW_START, 1)) {
		f->text = report__format(a->report, "%s takes %.1f s of it",
					 analysis__where(a, most->frame), (double)most->ns / 1e9);
		analysis__evidence(a, f, most->stack, most->frame);
	} else {
		f->text = "no single function stands out";
	}
	analysis__worst(a, f, s->begin_ns, ns);
	finding__number(f, "start", (double)ns / 1e9, "s");
	finding__number(f, "imports", (double)s->imports_ns / 1e9, "s");
	finding__number(f, "run-queue", (double)s->queued_ns / 1e9, "s");
	finding__number(f, "function", (double)most->ns / 1e9, "s");
	f->amount = (double)ns;
}

static void report_stop(struct analysis *a, const struct start *s)
{
	uint64_t ns;
	struct finding *f;

	if (!s->stop_ns || s->exit_ns <= s->stop_ns)
		return;
	ns = s->exit_ns - s->stop_ns;
	add_phase(a, "shutdown", s->stop_ns, ns, NULL);
	if ((double)ns / 1e9 < analysis__limit(a, RULE_SLOW_STOP, 0))
		return;
	f = analysis__finding(a, RULE_SLOW_STOP, SEVERITY_LOW, s->thread);
	if (!f)
		return;
	f->headline = report__format(a->report, "%.1f s", (double)ns / 1e9);
	f->text = "from the event loop's last poll to the end of the process";
	f->advice = "look at the end of this thread's timeline: threads that are joined need to be "
		    "told to stop first";
	analysis__worst(a, f, s->stop_ns, ns);
	finding__number(f, "stop", (double)ns / 1e9, "s");
	f->amount = (double)ns;
}

void starts__report(struct analysis *a)
{
	for (size_t i = 0; i < a->starts.list.n; i++) {
		const struct start *s = &a->starts.list.data[i];
		struct most most;

		if (!s->begin_ns || a->threads.data[s->thread].shown == REPORT_NO_THREAD)
			continue;
		if (s->ended && s->end_ns > s->begin_ns) {
			most = most_of(a, s);
			add_phase(a, "start-up", s->begin_ns, s->end_ns - s->begin_ns, &most);
			report_slow(a, s, &most);
		}
		report_stop(a, s);
	}
}
