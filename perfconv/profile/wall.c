// SPDX-License-Identifier: GPL-2.0
#include "perfconv/profile/wall.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/profile/builder.h"

/* Beyond that it is no switching: the kernel and we look at different times. */
#define LONGEST_RETURN_NS 200000u

struct wall {
	const struct wall_sources *from;
	struct profile *profile;
	struct intervals intervals;
	uint32_t running_frame;
	/* the thread at hand */
	uint32_t id;
	struct profile_thread *thread;
	const uint32_t *samples; /* by time */
	size_t samples_n;
	size_t next;	    /* the first sample that is not before what has been laid */
	uint64_t return_ns; /* on its CPU before each SWITCH record that says so */
	uint64_t at_ns;	    /* up to where it has been laid */
};

static const struct store_sample *sample(const struct wall *w, size_t i)
{
	return &w->from->store->samples.data[w->samples[i]];
}

static uint32_t sample_stack(struct wall *w, size_t i)
{
	const struct store_sample *s = sample(w, i);
	bool cut = s->ending == STACK_TRUNCATED || s->ending == STACK_LOST;

	return resolver__stack(w->from->resolver, s->stack, cut);
}

static void add(struct wall *w, uint64_t weight, uint32_t stack, bool off)
{
	profile_thread__add(w->thread, (struct profile_slice){ weight, stack, off });
}

/* The next @ns of the thread; to be called for all of its time, in order. */
static void tell(struct wall *w, uint64_t ns, struct stretch s)
{
	const struct watcher *watcher = w->from->watcher;

	s.begin_ns = w->at_ns;
	s.end_ns = w->at_ns += ns;
	if (watcher && ns)
		watcher->stretch(watcher->target, &s);
}

static void add_on_cpu(struct wall *w, uint64_t weight, uint32_t stack)
{
	tell(w, weight, (struct stretch){ .stack = stack, .state = THREAD_RUNNING });
	if (stack == RESOLVE_NO_STACK) {
		stack = resolver__push(w->from->resolver, RESOLVE_NO_STACK, w->running_frame);
		w->thread->times.unsampled += weight;
	}
	w->thread->weight += weight;
	add(w, weight, stack, false);
}

/* No sample comes any more. */
static uint32_t stack_of_rest(struct wall *w, const struct interval *run,
			      const struct interval *after)
{
	if (w->samples_n && sample(w, w->samples_n - 1)->time_ns >= run->start_ns)
		return sample_stack(w, w->samples_n - 1);
	return after ? waits__switch_stack(w->from->waits, w->id, after) : RESOLVE_NO_STACK;
}

/* A run on a CPU; @after: what follows it, or NULL. */
static void add_run(struct wall *w, const struct interval *run, const struct interval *after)
{
	uint64_t at = run->start_ns;

	while (at < run->end_ns) {
		uint64_t end = run->end_ns;

		while (w->next < w->samples_n && sample(w, w->next)->time_ns <= at)
			w->next++;
		if (w->next == w->samples_n) {
			add_on_cpu(w, end - at, stack_of_rest(w, run, after));
			return;
		}
		if (sample(w, w->next)->time_ns < end)
			end = sample(w, w->next)->time_ns;
		add_on_cpu(w, end - at, sample_stack(w, w->next));
		at = end;
	}
}

/* The last part of a time off the CPU, when the kernel already has it on one. */
static uint64_t returning_ns(const struct wall *w, const struct interval *i,
			     const struct interval *after)
{
	uint64_t whole = i->end_ns - i->start_ns;

	if (!after || after->state != THREAD_RUNNING)
		return 0;
	return w->return_ns < whole ? w->return_ns : whole;
}

static void add_off(struct wall *w, const struct interval *i, const struct interval *after)
{
	uint64_t returning = returning_ns(w, i, after);
	uint64_t weight = i->end_ns - i->start_ns - returning;
	struct wait wait = waits__find(w->from->waits, w->id, i);

	w->thread->times.off += weight;
	w->thread->times.reasons[wait.reason] += weight;
	w->thread->times.stacks[wait.how] += weight;
	if (w->from->waits_shown)
		add(w, weight, wait.stack, true);
	else
		add(w, weight, RESOLVE_NO_STACK, false);
	tell(w, weight,
	     (struct stretch){ .stack = wait.stack,
			       .state = i->state,
			       .reason = wait.reason,
			       .preempted = i->preempted });
	if (!returning)
		return;
	w->thread->times.switching += returning;
	add_on_cpu(w, returning, waits__switching(w->from->waits, w->id, i));
}

static void add_gap(struct wall *w, const struct interval *i)
{
	uint64_t weight = i->end_ns - i->start_ns;

	if (i->state == THREAD_ABSENT)
		w->thread->times.absent += weight;
	else
		w->thread->times.unknown += weight;
	add(w, weight, RESOLVE_NO_STACK, false);
	tell(w, weight, (struct stretch){ .stack = RESOLVE_NO_STACK, .state = i->state });
}

static void add_intervals(struct wall *w)
{
	const struct interval *list = w->intervals.list.data;

	for (size_t i = 0; i < w->intervals.list.n; i++) {
		const struct interval *after = i + 1 < w->intervals.list.n ? &list[i + 1] : NULL;

		switch (list[i].state) {
		case THREAD_RUNNING:
			add_run(w, &list[i], after);
			break;
		case THREAD_WAITING:
		case THREAD_RUNNABLE:
			add_off(w, &list[i], after);
			break;
		case THREAD_UNKNOWN:
		case THREAD_ABSENT:
		default:
			add_gap(w, &list[i]);
			break;
		}
	}
}

/* Of the event's samples, what is told beside the times. */
static void count_samples(struct wall *w)
{
	struct profile *p = w->profile;

	for (size_t i = 0; i < w->samples_n; i++) {
		const struct store_sample *s = sample(w, i);

		if (s->time_ns < w->from->window.from_ns || s->time_ns > w->from->window.to_ns)
			continue;
		w->thread->samples++;
		w->thread->endings[s->ending]++;
		w->thread->stitched += s->stitched;
		p->samples++;
		p->endings[s->ending]++;
		p->stitched += s->stitched;
	}
}

/* The first and the last look at the thread at hand that tell the kernel's counts. */
static bool find_looks(const struct wall *w, const struct threads_entry **first,
		       const struct threads_entry **last)
{
	const struct threads_file *f = w->from->threads;
	const struct threads_entry *e = f ? threads_file__find(f, w->thread->tid) : NULL;

	*first = *last = NULL;
	for (; e && e < f->entries.data + f->entries.n && e->tid == w->thread->tid; e++) {
		if (!e->has_schedstat || e->pid != w->thread->pid)
			continue;
		*first = *first ? *first : e;
		*last = e;
	}
	return *first != *last && (*last)->run_ns >= (*first)->run_ns &&
	       (*last)->queue_ns >= (*first)->queue_ns;
}

static uint64_t overlap(const struct interval *i, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t start = i->start_ns > from_ns ? i->start_ns : from_ns;
	uint64_t end = i->end_ns < to_ns ? i->end_ns : to_ns;

	return start < end ? end - start : 0;
}

/* Whether all is known of the thread at hand between the two looks. */
static bool is_known(const struct wall *w, const struct threads_entry *first,
		     const struct threads_entry *last)
{
	if (!w->intervals.has_ins || !w->from->monotonic ||
	    first->time_ns < w->from->capture.from_ns || last->time_ns > w->from->capture.to_ns)
		return false;
	for (size_t i = 0; i < w->intervals.list.n; i++) {
		const struct interval *v = &w->intervals.list.data[i];

		if (v->state == THREAD_UNKNOWN && overlap(v, first->time_ns, last->time_ns))
			return false;
	}
	return true;
}

/* How long the kernel takes to bring the thread back, on average of the capture. */
static void compare_with_kernel(struct wall *w)
{
	struct profile_times *times = &w->thread->times;
	const struct threads_entry *first, *last;
	uint64_t running = 0, returns = 0;

	w->return_ns = 0;
	if (!find_looks(w, &first, &last))
		return;
	times->schedstat_run = last->run_ns - first->run_ns;
	times->schedstat_queue = last->queue_ns - first->queue_ns;
	times->has_schedstat = true;
	if (!is_known(w, first, last))
		return;
	for (size_t i = 0; i < w->intervals.list.n; i++) {
		const struct interval *v = &w->intervals.list.data[i];

		if (v->state != THREAD_RUNNING)
			continue;
		running += overlap(v, first->time_ns, last->time_ns);
		returns += v->start_ns > first->time_ns && v->start_ns < last->time_ns;
	}
	if (returns && times->schedstat_run > running)
		w->return_ns = (times->schedstat_run - running) / returns;
	if (w->return_ns > LONGEST_RETURN_NS)
		w->return_ns = LONGEST_RETURN_NS;
	times->schedstat_on_cpu = running + returns * w->return_ns;
}

/* The state over the whole capture first, for what the kernel counted is of all of it. */
static void find_intervals(struct wall *w)
{
	w->intervals.start_ns = w->from->capture.from_ns;
	w->intervals.end_ns = w->from->capture.to_ns;
	intervals__of(&w->intervals, w->id);
	for (size_t i = 0; i < w->intervals.list.n; i++)
		if (w->intervals.list.data[i].state == THREAD_WAITING ||
		    w->intervals.list.data[i].state == THREAD_RUNNABLE)
			waits__learn(w->from->waits, w->id, &w->intervals.list.data[i]);
	compare_with_kernel(w);
	w->intervals.start_ns = w->from->window.from_ns;
	w->intervals.end_ns = w->from->window.to_ns;
	intervals__of(&w->intervals, w->id);
}

static void add_thread(struct wall *w, struct builder *b, uint32_t id)
{
	w->id = id;
	w->thread = builder__thread(b, id);
	w->samples = w->intervals.samples + w->intervals.first_sample[id];
	w->samples_n = intervals__samples(&w->intervals, id);
	w->next = 0;
	w->at_ns = w->from->window.from_ns;
	if (w->from->watcher)
		w->from->watcher->thread(w->from->watcher->target, id);
	find_intervals(w);
	add_intervals(w);
	count_samples(w);
	w->profile->weight += w->thread->weight;
}

/* Threads that did anything, and those of their processes: they waited all the while. */
static bool *threads_to_show(const struct wall *w)
{
	const struct machine *m = w->from->machine;
	bool *alive = mem__alloc(m->processes.n, sizeof(*alive));
	bool *shown = mem__alloc(m->threads.n, sizeof(*shown));

	for (uint32_t id = 0; id < m->threads.n; id++)
		if (m->threads.data[id].tid &&
		    (intervals__rows(&w->intervals, id) || intervals__samples(&w->intervals, id)))
			alive[m->threads.data[id].process] = true;
	for (uint32_t id = 0; id < m->threads.n; id++)
		shown[id] = m->threads.data[id].tid && m->threads.data[id].tid != UINT32_MAX &&
			    alive[m->threads.data[id].process];
	free(alive);
	return shown;
}

struct profile *wall__new(const struct wall_sources *sources)
{
	struct profile *p = mem__alloc(1, sizeof(*p));
	struct builder b = { .profile = p, .machine = sources->machine, .python = sources->python };
	struct wall w = { .from = sources, .profile = p };
	bool *shown;

	p->resolved = resolver__resolved(sources->resolver);
	p->event = sources->event_index;
	p->timed = p->exact = true;
	p->waits = sources->waits_shown;
	p->has_dumps = sources->event->sample_type & PERF_SAMPLE_STACK_USER;
	p->start_ns = sources->window.from_ns;
	p->duration = sources->window.to_ns - sources->window.from_ns;
	intervals__init(&w.intervals, sources->switches, sources->store, sources->machine,
			sources->event_index, sources->window.from_ns, sources->window.to_ns);
	p->ends_guessed = !w.intervals.has_ins;
	w.running_frame = resolver__label(sources->resolver, FRAME_NOTE, "[running]");
	shown = threads_to_show(&w);
	for (uint32_t id = 0; id < sources->machine->threads.n; id++)
		if (shown[id])
			add_thread(&w, &b, id);
	free(shown);
	p->contradicted = waits__contradicted(sources->waits);
	intervals__release(&w.intervals);
	builder__finish(&b);
	return p;
}
