// SPDX-License-Identifier: GPL-2.0
#include "perfconv/profile/wall.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/profile/buckets.h"
#include "perfconv/profile/builder.h"
#include "perfconv/profile/filter.h"

/* Beyond that it is no switching: the kernel and we look at different times. */
#define LONGEST_RETURN_NS 200000u

struct wall {
	const struct wall_sources *from;
	struct profile *profile;
	struct intervals intervals;
	uint32_t running_frame;
	struct profile_thread *thread; /* at hand; what follows is of it */
	const uint32_t *samples;       /* by time */
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
	return resolver__sample(w->from->resolver, sample(w, i));
}

static void add(struct wall *w, uint64_t weight, uint32_t stack, bool off)
{
	buckets__add(w->profile, w->thread, (struct profile_slice){ weight, stack, off });
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

/* A stack as it is shown; @weight: what it counts for its functions' hot lines. */
static uint32_t shown(struct wall *w, uint32_t stack, uint64_t weight)
{
	return resolver__show(w->from->resolver, stack, w->thread->hidden ? 0 : weight);
}

static void add_on_cpu(struct wall *w, uint64_t weight, uint32_t stack)
{
	tell(w, weight, (struct stretch){ .stack = stack, .state = THREAD_RUNNING });
	stack = shown(w, stack, weight);
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
	return after ? waits__switch_stack(w->from->waits, w->thread->id, after) : RESOLVE_NO_STACK;
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

/* What the kernel was asked to wait at. */
static uint64_t lock_of(const struct wall *w, const struct interval *i, enum reason reason)
{
	if (reason != REASON_LOCK || i->place == SWITCH_NO_PLACE)
		return 0;
	return switches__get_place(w->from->switches, i->place).argument;
}

static void add_off(struct wall *w, const struct interval *i, const struct interval *after)
{
	uint64_t returning = returning_ns(w, i, after);
	uint64_t weight = i->end_ns - i->start_ns - returning;
	struct wait wait = waits__find(w->from->waits, w->thread->id, i);
	uint32_t stack = shown(w, wait.stack, w->from->waits_shown ? weight : 0);

	w->thread->times.off += weight;
	w->thread->times.reasons[wait.reason] += weight;
	w->thread->times.stacks[wait.how] += weight;
	if (w->from->waits_shown)
		add(w, weight, stack, true);
	else
		add(w, weight, RESOLVE_NO_STACK, false);
	tell(w, weight,
	     (struct stretch){ .stack = wait.stack,
			       .state = i->state,
			       .reason = wait.reason,
			       .preempted = i->preempted,
			       .lock = lock_of(w, i, wait.reason) });
	if (!returning)
		return;
	w->thread->times.switching += returning;
	add_on_cpu(w, returning, waits__switching(w->from->waits, w->thread->id, i));
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

static void add_interval(struct wall *w, const struct interval *i, const struct interval *after)
{
	switch (i->state) {
	case THREAD_RUNNING:
		add_run(w, i, after);
		break;
	case THREAD_WAITING:
	case THREAD_RUNNABLE:
		add_off(w, i, after);
		break;
	case THREAD_UNKNOWN:
	case THREAD_ABSENT:
	default:
		add_gap(w, i);
		break;
	}
}

static void add_intervals(struct wall *w)
{
	const struct profile_window *window = &w->from->window;
	const struct interval *i;

	intervals__begin(&w->intervals, w->thread->id, window->from_ns, window->to_ns);
	while ((i = intervals__next(&w->intervals)))
		add_interval(w, i, intervals__after(&w->intervals));
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
		if (p->counts_hits)
			hits__add(&p->hits, w->thread->id,
				  resolver__show(w->from->resolver, sample_stack(w, i), 0));
		p->samples++;
		p->endings[s->ending]++;
		p->stitched += s->stitched;
	}
}

/* The thread between the first and the last look that tell the kernel's counts of it. */
struct looks {
	const struct threads_entry *first, *last;
	bool known;		   /* all of it */
	uint64_t running, returns; /* ns on a CPU as we see it, and how often it came back */
};

static bool find_looks(const struct wall *w, struct looks *l)
{
	const struct threads_file *f = w->from->threads;
	const struct threads_entry *e = f ? threads_file__find(f, w->thread->tid) : NULL;

	memset(l, 0, sizeof(*l));
	for (; e && e < f->entries.data + f->entries.n && e->tid == w->thread->tid; e++) {
		if (!e->has_schedstat || e->pid != w->thread->pid)
			continue;
		l->first = l->first ? l->first : e;
		l->last = e;
	}
	if (l->first == l->last || l->last->run_ns < l->first->run_ns ||
	    l->last->queue_ns < l->first->queue_ns)
		return false;
	l->known = w->intervals.has_ins && w->from->monotonic &&
		   l->first->time_ns >= w->from->capture.from_ns &&
		   l->last->time_ns <= w->from->capture.to_ns;
	return true;
}

static uint64_t overlap(const struct interval *i, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t start = i->start_ns > from_ns ? i->start_ns : from_ns;
	uint64_t end = i->end_ns < to_ns ? i->end_ns : to_ns;

	return start < end ? end - start : 0;
}

static void look_at(struct looks *l, const struct interval *i)
{
	uint64_t within = overlap(i, l->first->time_ns, l->last->time_ns);

	if (i->state == THREAD_UNKNOWN && within)
		l->known = false;
	if (i->state != THREAD_RUNNING)
		return;
	l->running += within;
	l->returns += i->start_ns > l->first->time_ns && i->start_ns < l->last->time_ns;
}

/* How long the kernel takes to bring the thread back, on average of the capture. */
static void compare_with_kernel(struct wall *w, const struct looks *l)
{
	struct profile_times *times = &w->thread->times;

	times->schedstat_run = l->last->run_ns - l->first->run_ns;
	times->schedstat_queue = l->last->queue_ns - l->first->queue_ns;
	times->has_schedstat = true;
	if (!l->known)
		return;
	if (l->returns && times->schedstat_run > l->running)
		w->return_ns = (times->schedstat_run - l->running) / l->returns;
	if (w->return_ns > LONGEST_RETURN_NS)
		w->return_ns = LONGEST_RETURN_NS;
	times->schedstat_on_cpu = l->running + l->returns * w->return_ns;
}

/* Over the whole capture, for what the kernel counted is of all of it. */
static void learn(struct wall *w)
{
	const struct profile_window *all = &w->from->capture;
	const struct interval *i;
	struct looks looks;
	bool looked = find_looks(w, &looks);

	w->return_ns = 0;
	intervals__begin(&w->intervals, w->thread->id, all->from_ns, all->to_ns);
	while ((i = intervals__next(&w->intervals))) {
		if (interval__is_off(i))
			waits__learn(w->from->waits, w->thread->id, i);
		if (looked)
			look_at(&looks, i);
	}
	if (looked)
		compare_with_kernel(w, &looks);
}

static void add_thread(struct wall *w, struct profile_thread *thread)
{
	w->thread = thread;
	w->samples = w->intervals.samples + w->intervals.first_sample[thread->id];
	w->samples_n = intervals__samples(&w->intervals, thread->id);
	w->next = 0;
	w->at_ns = w->from->window.from_ns;
	if (w->from->watcher)
		w->from->watcher->thread(w->from->watcher->target, thread->id);
	learn(w);
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
		if (m->threads.data[id].tid && (switches__first(w->from->switches, id) ||
						intervals__samples(&w->intervals, id)))
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
	p->holding.max_slices = sources->max_slices;
	p->counts_hits = sources->hits;
	p->has_dumps = sources->event->sample_type & PERF_SAMPLE_STACK_USER;
	p->start_ns = sources->window.from_ns;
	p->duration = sources->window.to_ns - sources->window.from_ns;
	intervals__init(&w.intervals, sources->switches, sources->store, sources->machine,
			sources->event_index);
	p->ends_guessed = !w.intervals.has_ins;
	w.running_frame = resolver__label(sources->resolver, FRAME_NOTE, "[running]");
	shown = threads_to_show(&w);
	for (uint32_t id = 0; id < sources->machine->threads.n; id++)
		if (shown[id])
			(void)builder__thread(&b, id);
	free(shown);
	builder__arrange(&b);
	builder__release(&b);
	profile__filter(p, sources->filter);
	for (size_t i = 0; i < p->threads.n; i++)
		add_thread(&w, &p->threads.data[i]);
	p->contradicted = waits__contradicted(sources->waits);
	intervals__release(&w.intervals);
	return p;
}
