// SPDX-License-Identifier: GPL-2.0
/*
 * asyncio's tasks: their steps from the side file's ring, exact and with the time
 * on a CPU within; where there is no ring, only the samples below a task's frame.
 */
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/state.h"

static uint32_t task_sum(struct analysis *a, const char *name, const char *coroutine)
{
	struct tasks *t = &a->tasks;
	uint32_t n = strtab__intern(&t->strings, name), c = strtab__intern(&t->strings, coroutine);
	uint32_t key = idmap__intern(&t->keys, (uint64_t)(a->threads.n - 1) << 32 | n, c);

	if (key == t->list.n)
		vec__push(&t->list,
			  ((struct task_sum){
				  .thread = a->threads.n - 1, .name = n, .coroutine = c }));
	return key;
}

void tasks__thread(struct analysis *a)
{
	const struct watched *w = analysis__thread(a);
	const struct sidefile *file = a->from.monotonic ? python__side_file(a->from.python, w->id)
							: NULL;
	struct tasks *t = &a->tasks;

	t->steps = NULL;
	t->depth = t->next = 0;
	if (!file)
		return;
	t->tid = sidefile__inner_tid(file, a->from.machine->threads.data[w->id].tid);
	t->next = steps__first(&file->steps, t->tid);
	if (t->next < file->steps.list.n && file->steps.list.data[t->next].tid == t->tid)
		t->steps = &file->steps;
}

static void begin_step(struct analysis *a, const struct sidefile_step *step, uint64_t at)
{
	const struct sidefile_task *task = steps__task(a->tasks.steps, step->task);
	struct tasks *t = &a->tasks;
	uint32_t sum, seen;

	if (t->depth == TASKS_MAX_DEPTH)
		return;
	sum = task_sum(a, task ? task->name : "task", task ? task->coroutine : "");
	seen = (uint32_t)t->seen.n;
	t->list.data[sum].tasks += idmap__intern(&t->seen, a->threads.n - 1, step->task) == seen;
	t->list.data[sum].exact = t->any_exact = true;
	t->stack[t->depth++] = (struct task_step){ sum, at, 0 };
}

static void end_step(struct analysis *a, uint64_t at)
{
	struct tasks *t = &a->tasks;
	const struct task_step *step;
	struct task_sum *sum;
	uint64_t ns;

	if (!t->depth)
		return; /* it began before the window */
	step = &t->stack[--t->depth];
	sum = &t->list.data[step->task];
	ns = at - step->begin_ns;
	sum->steps++;
	sum->in_steps += ns;
	sum->on_cpu += step->on_cpu;
	if (ns > sum->longest_ns) {
		sum->longest_ns = ns;
		sum->longest_begin = step->begin_ns;
	}
}

/* Of the innermost step, or NULL. */
static const char *current_task(const struct tasks *t)
{
	if (!t->depth)
		return NULL;
	return strtab__get(&t->strings, t->list.data[t->stack[t->depth - 1].task].name);
}

static void piece(struct analysis *a, const struct stretch *s, uint64_t begin_ns, uint64_t end_ns)
{
	struct tasks *t = &a->tasks;

	if (begin_ns >= end_ns)
		return;
	if (t->depth && s->state == THREAD_RUNNING)
		t->stack[t->depth - 1].on_cpu += end_ns - begin_ns;
	loop__piece(a, s, begin_ns, end_ns);
}

/* From the stacks, where steps are not known. */
static void sampled_task(struct analysis *a, const struct stretch *s)
{
	uint32_t task = frames__facts(&a->frames, s->stack)->task, sum;
	const char *name;
	char *bare;

	if (task == NO_FRAME || s->state != THREAD_RUNNING)
		return;
	name = frames__name(&a->frames, task);
	bare = mem__format("%.*s", (int)(strlen(name) - strlen(TASK_MARK)), name);
	sum = task_sum(a, bare, "");
	free(bare);
	a->tasks.list.data[sum].on_cpu += s->end_ns - s->begin_ns;
}

void tasks__stretch(struct analysis *a, const struct stretch *s)
{
	struct tasks *t = &a->tasks;
	uint64_t at = s->begin_ns;

	while (t->steps && t->next < t->steps->list.n) {
		const struct sidefile_step *step = &t->steps->list.data[t->next];

		if (step->tid != t->tid || step->time_ns > s->end_ns)
			break;
		if (step->time_ns > at) {
			piece(a, s, at, step->time_ns);
			at = step->time_ns;
		}
		if (step->end)
			end_step(a, at);
		else
			begin_step(a, step, at);
		loop__step(a, at, current_task(t));
		t->next++;
	}
	piece(a, s, at, s->end_ns);
	if (!t->steps)
		sampled_task(a, s);
}

static int by_time(const void *a, const void *b)
{
	const struct report_task *x = a, *y = b;
	int names = strcmp(x->name, y->name);

	if (x->on_cpu_ns != y->on_cpu_ns)
		return x->on_cpu_ns > y->on_cpu_ns ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return names ? names : strcmp(x->coroutine, y->coroutine);
}

void tasks__report(struct analysis *a)
{
	struct report *r = a->report;

	for (size_t i = 0; i < a->tasks.list.n; i++) {
		const struct task_sum *t = &a->tasks.list.data[i];
		uint64_t begin = t->longest_begin > a->begin_ns ? t->longest_begin - a->begin_ns
								: 0;

		if (a->threads.data[t->thread].shown == REPORT_NO_THREAD)
			continue;
		vec__push(
			&r->tasks,
			((struct report_task){
				.name = report__string(r, strtab__get(&a->tasks.strings, t->name)),
				.coroutine = report__string(r, strtab__get(&a->tasks.strings,
									   t->coroutine)),
				.thread = a->threads.data[t->thread].shown,
				.exact = t->exact,
				.tasks = t->tasks,
				.steps = t->steps,
				.on_cpu_ns = t->on_cpu,
				.in_steps_ns = t->in_steps,
				.longest_ns = t->longest_ns,
				.longest_begin_ns = begin,
			}));
	}
	if (r->tasks.n)
		qsort(r->tasks.data, r->tasks.n, sizeof(*r->tasks.data), by_time);
	r->quality.has_steps = a->tasks.any_exact;
}
