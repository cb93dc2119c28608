// SPDX-License-Identifier: GPL-2.0
#include "perfconv/analyze/analysis.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/state.h"
#include "perfconv/base/file.h"

#define EVIDENCE_FRAMES 64u
#define GIL_ROW_NS 300000u /* waits for the GIL with less between them are one */

static void watch_thread(void *target, uint32_t id)
{
	struct analysis *a = target;
	struct watched *t;

	if (a->threads.n)
		loop__thread(a); /* the one before has ended */
	t = vec__add(&a->threads);
	t->id = id;
	t->first = a->totals.n;
	t->shown = REPORT_NO_THREAD;
	tasks__thread(a);
	habits__thread(a);
	starts__thread(a);
}

static struct total *total_of(struct analysis *a, const struct stretch *s)
{
	const struct watched *t = analysis__thread(a);
	uint32_t key = s->stack + 1; /* RESOLVE_NO_STACK is 0 */
	uint32_t at;

	while (a->slots.n <= key)
		vec__push(&a->slots, UINT32_MAX);
	at = a->slots.data[key];
	if (at >= t->first && at < a->totals.n && a->totals.data[at].stack == s->stack)
		return &a->totals.data[at];
	a->slots.data[key] = (uint32_t)a->totals.n;
	vec__push(&a->totals, ((struct total){ s->stack, s->state, s->reason, 0, 0 }));
	return &a->totals.data[a->totals.n - 1];
}

/* Whether a thread that waits so has nothing to do. */
static bool is_asleep(const struct stretch *s)
{
	static const bool asleep[REASONS] = {
		[REASON_SLEEP] = true,	[REASON_LOCK] = true,	[REASON_POLL] = true,
		[REASON_SOCKET] = true, [REASON_PIPE] = true,	[REASON_TERMINAL] = true,
		[REASON_CHILD] = true,	[REASON_SIGNAL] = true, [REASON_STOPPED] = true,
		[REASON_OTHER] = true,
	};

	return s->state == THREAD_WAITING && asleep[s->reason];
}

static void note_gil(struct watched *t, const struct stretch *s)
{
	if (t->gil_end && s->begin_ns - t->gil_end < GIL_ROW_NS) {
		t->gil_end = s->end_ns;
	} else {
		t->gil_waits++;
		t->gil_begin = s->begin_ns;
		t->gil_end = s->end_ns;
	}
	if (t->gil_end - t->gil_begin > t->gil_worst_ns) {
		t->gil_worst_ns = t->gil_end - t->gil_begin;
		t->gil_worst_begin = t->gil_begin;
	}
}

static void note_awake(struct watched *t, const struct stretch *s, uint64_t ns)
{
	if (is_asleep(s)) {
		t->asleep += ns;
		t->awake_ns = 0;
		return;
	}
	t->awake_ns += ns;
	if (t->awake_ns > t->longest_awake_ns) {
		t->longest_awake_ns = t->awake_ns;
		t->longest_awake_begin = s->end_ns - t->awake_ns;
	}
}

/* Return: false if it was not there. */
static bool note_state(struct watched *t, const struct stretch *s)
{
	uint64_t ns = s->end_ns - s->begin_ns;

	if (s->state == THREAD_ABSENT) {
		t->born |= !t->begin_ns;
		t->died |= t->begin_ns != 0;
		t->awake_ns = 0;
		return false;
	}
	if (!t->begin_ns)
		t->begin_ns = s->begin_ns;
	t->end_ns = s->end_ns;
	t->present += ns;
	if (s->state == THREAD_UNKNOWN) {
		t->unknown += ns;
		t->awake_ns = 0;
		return true;
	}
	note_awake(t, s, ns);
	if (s->state == THREAD_RUNNING) {
		t->on_cpu += ns;
		return true;
	}
	t->reasons[s->reason] += ns;
	t->voluntary += s->state == THREAD_WAITING;
	t->involuntary += s->preempted;
	if (s->state == THREAD_RUNNABLE)
		t->runnable += ns;
	if (s->reason == REASON_GIL)
		note_gil(t, s);
	return true;
}

static void watch_stretch(void *target, const struct stretch *s)
{
	struct analysis *a = target;
	struct total *total;

	if (note_state(analysis__thread(a), s) && s->state != THREAD_UNKNOWN) {
		total = total_of(a, s);
		total->ns += s->end_ns - s->begin_ns;
		total->count++;
		analysis__thread(a)->totals = a->totals.n - analysis__thread(a)->first;
	}
	tasks__stretch(a, s);
	habits__stretch(a, s);
	locks__stretch(a, s);
	starts__stretch(a, s);
}

struct analysis *analysis__new(const struct analysis_sources *sources)
{
	struct analysis *a = mem__alloc(1, sizeof(*a));

	a->from = *sources;
	a->watcher = (struct watcher){ a, watch_thread, watch_stretch };
	frames__init(&a->frames, sources->resolved);
	return a;
}

const struct watcher *analysis__watcher(const struct analysis *a)
{
	return &a->watcher;
}

void analysis__free(struct analysis *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->starts.list.n; i++) {
		idmap__release(&a->starts.list.data[i].stacks);
		vec__release(&a->starts.list.data[i].ns);
	}
	vec__release(&a->starts.list);
	idmap__release(&a->locks.keys);
	idmap__release(&a->locks.waits);
	vec__release(&a->locks.list);
	idmap__release(&a->habits.keys);
	vec__release(&a->habits.list);
	strtab__release(&a->tasks.strings);
	idmap__release(&a->tasks.keys);
	idmap__release(&a->tasks.seen);
	vec__release(&a->tasks.list);
	vec__release(&a->loop.pieces);
	idmap__release(&a->loop.keys);
	vec__release(&a->loop.blocks);
	vec__release(&a->slots);
	vec__release(&a->totals);
	vec__release(&a->threads);
	frames__release(&a->frames);
	free(a);
}

/* The profile's order of threads, and which there are. */
static void find_shown(struct analysis *a)
{
	const struct profile *p = a->profile;
	uint32_t *by_id = mem__alloc(a->from.machine->threads.n, sizeof(*by_id));

	for (size_t i = 0; i < p->threads.n; i++)
		by_id[p->threads.data[i].id] = (uint32_t)i + 1;
	for (size_t i = 0; i < a->threads.n; i++) {
		uint32_t at = by_id[a->threads.data[i].id];

		a->threads.data[i].shown = at ? at - 1 : REPORT_NO_THREAD;
	}
	free(by_id);
}

void analysis__finish(struct analysis *a, const struct profile *p, uint64_t lost,
		      struct report *report)
{
	if (a->threads.n)
		loop__thread(a);
	a->profile = p;
	a->report = report;
	a->frames.all_lines = !p->exact;
	a->begin_ns = p->start_ns;
	a->duration = p->duration;
	report->duration_ns = p->duration;
	report->scenario = report__string(report, a->from.scenario);
	find_shown(a);
	report_quality__make(a, lost);
	report_threads__make(a);
	busy__report(a);
	loop__report(a);
	tasks__report(a);
	habits__report(a);
	locks__report(a);
	gil__report(a);
	messages__report(a);
	natives__report(a);
	starts__report(a);
	machine__report(a);
	usage__report(a);
	unlooked__report(a);
	report__sort(report);
}

double analysis__limit(const struct analysis *a, enum rule_id rule, size_t limit)
{
	return rules__limit(a->from.rules, rule, limit);
}

const char *analysis__name(const struct analysis *a, size_t thread)
{
	size_t shown = a->threads.data[thread].shown;

	return shown == REPORT_NO_THREAD ? "" : a->report->threads.data[shown].name;
}

uint32_t analysis__process(const struct analysis *a, size_t thread)
{
	return a->from.machine->threads.data[a->threads.data[thread].id].process;
}

struct finding *analysis__finding(struct analysis *a, enum rule_id rule, enum severity severity,
				  size_t thread)
{
	const struct rule *r = rule__get(rule);
	struct finding *f;

	if (rules__is_off(a->from.rules, rule))
		return NULL;
	if (thread != SIZE_MAX && a->threads.data[thread].shown == REPORT_NO_THREAD)
		return NULL;
	f = report__finding(a->report);
	f->rule = r->id;
	f->title = r->title;
	f->severity = severity < r->severity ? severity : r->severity;
	if (thread != SIZE_MAX) {
		f->thread = a->threads.data[thread].shown;
		f->profile = analysis__name(a, thread);
	}
	return f;
}

void analysis__whole(struct analysis *a, enum rule_id rule, enum severity severity,
		     const char *headline, const char *text, const char *advice, double amount)
{
	struct finding *f = analysis__finding(a, rule, severity, SIZE_MAX);

	if (!f)
		return;
	f->headline = headline;
	f->text = text;
	f->advice = advice;
	f->amount = amount;
}

/* Python's functions, the native code that they called, and the reason; not the
 * interpreter's own. */
static bool is_evidence(struct frames *frames, uint32_t frame)
{
	const struct frame *f = &frames->resolved->frames.data[frame];

	return f->kind != FRAME_KERNEL && (f->kind != FRAME_NATIVE || f->named) &&
	       !(frames__marks(frames, frame) & MARK_INTERPRETER);
}

/* Of @n frames, leaf first: without what lies around the user's first function. */
static size_t without_bootstrap(struct analysis *a, const uint32_t *found, size_t n)
{
	for (size_t i = n; i-- > 0;)
		if (a->from.resolved->frames.data[found[i]].kind == FRAME_PYTHON &&
		    !(frames__marks(&a->frames, found[i]) & MARK_LIBRARY))
			return i + 1;
	return n;
}

void analysis__evidence(struct analysis *a, struct finding *f, uint32_t stack, uint32_t frame)
{
	const struct resolved *r = a->from.resolved;
	uint32_t found[EVIDENCE_FRAMES];
	size_t n = 0;

	f->function = frames__report(&a->frames, a->report, frame);
	f->search = f->function.name;
	for (uint32_t s = stack; s != RESOLVE_NO_STACK && n < EVIDENCE_FRAMES;
	     s = resolved__parent(r, s))
		if (is_evidence(&a->frames, resolved__leaf(r, s)))
			found[n++] = resolved__leaf(r, s);
	n = without_bootstrap(a, found, n);
	while (n-- > 0)
		vec__push(&f->stack, frames__report(&a->frames, a->report, found[n]));
}

void analysis__worst(const struct analysis *a, struct finding *f, uint64_t begin_ns, uint64_t ns)
{
	f->has_worst = true;
	f->worst_begin_ns = begin_ns > a->begin_ns ? begin_ns - a->begin_ns : 0;
	f->worst_ns = ns;
}

const char *analysis__where(struct analysis *a, uint32_t frame)
{
	const struct report_frame f = frames__report(&a->frames, a->report, frame);
	uint32_t line = f.line ? f.line : f.first_line;

	if (!*f.name)
		return "native code";
	if (!*f.file)
		return f.name;
	if (!line)
		return report__format(a->report, "%s (%s)", f.name, file__base(f.file));
	return report__format(a->report, "%s (%s:%u)", f.name, file__base(f.file), line);
}

uint32_t analysis__top(struct analysis *a, const struct watched *t, uint64_t *ns, uint32_t *stack)
{
	uint32_t functions, best = NO_FRAME;
	struct {
		uint64_t ns, heaviest;
		uint32_t stack, frame;
	} * sums;

	for (size_t i = t->first; i < t->first + t->totals; i++)
		(void)frames__facts(&a->frames, a->totals.data[i].stack);
	functions = frames__functions(&a->frames);
	sums = mem__alloc(functions, sizeof(*sums));
	*ns = 0;
	for (size_t i = t->first; i < t->first + t->totals; i++) {
		const struct total *total = &a->totals.data[i];
		const struct stack_facts *facts = frames__facts(&a->frames, total->stack);
		uint32_t frame = facts->user != NO_FRAME ? facts->user : facts->python;
		uint32_t function = frames__function(&a->frames, frame);

		if (total->state != THREAD_RUNNING || frame == NO_FRAME)
			continue;
		sums[function].ns += total->ns;
		if (total->ns > sums[function].heaviest) {
			sums[function].heaviest = total->ns;
			sums[function].stack = total->stack;
			sums[function].frame = frame;
		}
		if (sums[function].ns > *ns) {
			*ns = sums[function].ns;
			best = function;
		}
	}
	*stack = best == NO_FRAME ? RESOLVE_NO_STACK : sums[best].stack;
	best = best == NO_FRAME ? NO_FRAME : sums[best].frame;
	free(sums);
	return best;
}
