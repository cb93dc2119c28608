// SPDX-License-Identifier: GPL-2.0
/*
 * An event loop that is blocked: a time between two polls in which it does not
 * come back to itself.
 *
 *     stretches  poll | callback, step  |step| wait in a step   | poll
 *     parts           |<---- part ----->|<-->|<---- part ------>|
 *
 * A loop that has much to do polls without waiting, which leaves no trace.  So a
 * part also ends where the side file says that a task's step begins or ends, and
 * without that, where a sample shows the loop itself or another callback.
 */
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/state.h"

/* What stood out in a part. */
struct part {
	uint64_t ns, ran, queued; /* queued: it could run, but others had the CPUs */
	uint64_t reasons[REASONS];
	enum reason cause; /* REASON_NONE: it ran */
	uint32_t stack;	   /* that most of the cause's time was in */
};

static int by_stack(const void *a, const void *b)
{
	const struct loop_piece *x = a, *y = b;

	return x->stack < y->stack ? -1 : x->stack > y->stack;
}

static bool is_cause(const struct loop_piece *p, enum reason cause)
{
	return p->state == THREAD_RUNNING ? cause == REASON_NONE
					  : cause != REASON_NONE && p->reason == cause;
}

/* Most of the part's time, whether it ran or waited. */
static void find_cause(struct part *part, const struct loop *l, double limit)
{
	for (size_t i = 0; i < l->pieces.n; i++) {
		const struct loop_piece *p = &l->pieces.data[i];

		part->ns += p->ns;
		if (p->state == THREAD_RUNNABLE)
			part->queued += p->ns;
		if (p->state == THREAD_RUNNING)
			part->ran += p->ns;
		else
			part->reasons[p->reason] += p->ns;
	}
	part->cause = REASON_NONE;
	if (milliseconds(part->ns - part->queued) >= limit) /* also with a CPU for itself */
		part->reasons[REASON_PREEMPTED] = part->reasons[REASON_RUN_QUEUE] = 0;
	for (size_t i = 1; i < REASONS; i++)
		if (part->reasons[i] > part->ran &&
		    (part->cause == REASON_NONE || part->reasons[i] > part->reasons[part->cause]))
			part->cause = (enum reason)i;
}

static void find_stack(struct part *part, struct loop *l)
{
	uint64_t most = 0, sum = 0;

	qsort(l->pieces.data, l->pieces.n, sizeof(*l->pieces.data), by_stack);
	part->stack = RESOLVE_NO_STACK;
	for (size_t i = 0; i < l->pieces.n; i++) {
		const struct loop_piece *p = &l->pieces.data[i];

		if (!i || p->stack != p[-1].stack)
			sum = 0;
		if (is_cause(p, part->cause) && p->stack != RESOLVE_NO_STACK)
			sum += p->ns;
		if (sum > most) {
			most = sum;
			part->stack = p->stack;
		}
	}
}

/* A sample stands for the time before it, which may be another step's. */
static bool is_of_another_task(const struct analysis *a, const struct stack_facts *facts)
{
	return a->loop.task && facts->task != NO_FRAME &&
	       strcmp(a->loop.task, frames__name(&a->frames, facts->task)) != 0;
}

/* The user's function that most of the part's time was in, where stacks tell. */
static uint32_t users_own(struct analysis *a)
{
	const struct loop *l = &a->loop;
	uint32_t best = NO_FRAME;
	uint64_t most = 0;

	for (size_t i = 0; i < l->pieces.n; i++) {
		const struct stack_facts *facts =
			frames__facts(&a->frames, l->pieces.data[i].stack);

		if (facts->inner == NO_FRAME || l->pieces.data[i].ns <= most ||
		    is_of_another_task(a, facts))
			continue;
		most = l->pieces.data[i].ns;
		best = facts->inner;
	}
	return best;
}

/* Else what the loop called. */
static uint32_t responsible(struct analysis *a, uint32_t stack, bool *users, bool *guessed)
{
	const struct stack_facts facts = *frames__facts(&a->frames, stack);
	uint32_t frame = facts.inner != NO_FRAME ? facts.inner : users_own(a);

	*guessed = frame == NO_FRAME;
	*users = frame != NO_FRAME || (a->loop.task && facts.cut);
	if (frame != NO_FRAME)
		return frame;
	return facts.entry != NO_FRAME ? facts.entry : facts.python;
}

/* Whether it is the function's doing: any other would have to wait so, too. */
static bool is_own(enum reason cause)
{
	return cause != REASON_GIL && cause != REASON_PREEMPTED && cause != REASON_RUN_QUEUE;
}

static void add_block(struct analysis *a, const struct part *part, uint64_t begin_ns)
{
	struct loop *l = &a->loop;
	size_t thread = a->threads.n - 1;
	bool users, guessed;
	uint32_t frame = responsible(a, part->stack, &users, &guessed);
	uint32_t key = idmap__intern(&l->keys, (uint64_t)thread << 8 | part->cause,
				     is_own(part->cause) ? frames__function(&a->frames, frame)
							 : NO_FUNCTION);
	struct loop_block *b;

	if (key == l->blocks.n)
		vec__push(&l->blocks,
			  ((struct loop_block){
				  .thread = thread, .cause = part->cause, .frame = frame }));
	b = &l->blocks.data[key];
	b->count++;
	b->ns += part->ns;
	b->ran_ns += part->ran;
	if (part->ns <= b->worst_ns)
		return;
	b->users = users;
	b->guessed = guessed;
	b->task = l->task;
	b->worst_own_ns = part->ns - part->queued;
	b->worst_ns = part->ns;
	b->worst_begin = begin_ns;
	b->worst_stack = part->stack;
	b->frame = frame;
}

/* A stack without its root may be of what comes after the loop. */
static bool is_sure(struct analysis *a, const struct part *part)
{
	return a->loop.task || frames__facts(&a->frames, part->stack)->loop != LOOP_NONE;
}

static void end_part(struct analysis *a, uint64_t at)
{
	double limit = analysis__limit(a, RULE_LOOP_BLOCKED, 0);
	struct loop *l = &a->loop;
	struct part part = { 0 };

	if (l->open && l->runs && milliseconds(at - l->begin_ns) >= limit) {
		find_cause(&part, l, limit);
		find_stack(&part, l);
		if (milliseconds(part.ns) >= limit && is_sure(a, &part))
			add_block(a, &part, l->begin_ns);
	}
	l->open = false;
	l->pieces.n = 0;
}

static void begin_part(struct loop *l, uint64_t at, uint32_t entry)
{
	l->open = true;
	l->task = NULL;
	l->begin_ns = at;
	l->entry = entry;
}

void loop__thread(struct analysis *a)
{
	const struct watched *t = analysis__thread(a);

	end_part(a, t->end_ns);
	a->loop.runs = false;
	a->loop.polls = a->loop.last_poll_ns = 0;
}

void loop__step(struct analysis *a, uint64_t time_ns, const char *task)
{
	end_part(a, time_ns);
	a->loop.runs = true;
	begin_part(&a->loop, time_ns, NO_FRAME);
	a->loop.task = task;
}

static bool is_poll(const struct stretch *s, const struct stack_facts *facts)
{
	return s->state == THREAD_WAITING && s->reason == REASON_POLL && facts->loop == LOOP_ITSELF;
}

/* In Python, and all of the stack is known: the loop has ended. */
static bool is_outside(const struct analysis *a, const struct stack_facts *facts)
{
	return !a->tasks.depth && !facts->cut && facts->python != NO_FRAME;
}

/* Without steps: the loop itself, or something else that it called. */
static bool is_back(struct analysis *a, const struct stretch *s, const struct stack_facts *facts)
{
	if (a->tasks.depth || s->state != THREAD_RUNNING)
		return false;
	return facts->loop == LOOP_ITSELF ||
	       (facts->loop == LOOP_BELOW && a->loop.entry != NO_FRAME &&
		frames__function(&a->frames, facts->entry) !=
			frames__function(&a->frames, a->loop.entry));
}

void loop__piece(struct analysis *a, const struct stretch *s, uint64_t begin_ns, uint64_t end_ns)
{
	const struct stack_facts *facts = frames__facts(&a->frames, s->stack);
	struct loop *l = &a->loop;

	if (s->state == THREAD_ABSENT || s->state == THREAD_UNKNOWN ||
	    (s->state == THREAD_WAITING && s->reason == REASON_NONE)) { /* polls, most likely */
		end_part(a, begin_ns);
		return;
	}
	if (is_poll(s, facts)) {
		end_part(a, begin_ns);
		l->runs = true;
		l->polls++;
		l->last_poll_ns = end_ns;
		begin_part(l, end_ns, NO_FRAME);
		return;
	}
	if (facts->loop == LOOP_NONE && (!l->open || is_outside(a, facts))) {
		end_part(a, begin_ns);
		return;
	}
	l->runs |= facts->loop != LOOP_NONE;
	if (!l->open || is_back(a, s, facts)) {
		end_part(a, begin_ns);
		begin_part(l, begin_ns, facts->entry);
	}
	if (l->entry == NO_FRAME)
		l->entry = facts->entry;
	vec__push(&l->pieces,
		  ((struct loop_piece){ s->stack, end_ns - begin_ns, s->state, s->reason }));
}

static const char *advice(enum reason cause, uint32_t marks, enum message_kind message)
{
	if (marks & MARK_HTTP)
		return "use an asynchronous client (aiohttp, httpx.AsyncClient), or await "
		       "asyncio.to_thread(...)";
	if (cause == REASON_SLEEP)
		return "await asyncio.sleep(...) instead of time.sleep(...)";
	if (marks & MARK_FILE || cause == REASON_DISK || cause == REASON_PAGE_FAULT)
		return "read and write large files in a thread: await asyncio.to_thread(...)";
	if (cause == REASON_GIL)
		return "another thread runs Python code all the while: let it sleep, or move it to "
		       "a process of its own";
	if (cause == REASON_LOCK)
		return "do not wait for a thread's lock or result in a coroutine: use asyncio's, or "
		       "await asyncio.to_thread(...)";
	if (cause == REASON_PREEMPTED || cause == REASON_RUN_QUEUE)
		return "the machine has too few CPUs for all that runs: see cpu-starved";
	if (cause != REASON_NONE)
		return "wait with asyncio's own streams or transports, or await "
		       "asyncio.to_thread(...)";
	if (message != MESSAGE_NONE)
		return "parse and write large messages in a thread: await asyncio.to_thread(...)";
	return "divide the work and await asyncio.sleep(0) between its parts, or move it to "
	       "loop.run_in_executor(...)";
}

static enum severity severity_of(const struct analysis *a, const struct loop_block *b)
{
	double limit = analysis__limit(a, RULE_LOOP_BLOCKED, 0);

	if (b->cause == REASON_PREEMPTED || b->cause == REASON_RUN_QUEUE || !b->users)
		return SEVERITY_LOW;
	if (!is_own(b->cause) || milliseconds(b->worst_own_ns) < 2 * limit)
		return SEVERITY_MEDIUM;
	return SEVERITY_HIGH;
}

static void report_block(struct analysis *a, const struct loop_block *b)
{
	const struct stack_facts *facts = frames__facts(&a->frames, b->worst_stack);
	const char *reason = reason__name(b->cause), *times = b->count == 1 ? "once" : "times";
	struct finding *f = analysis__finding(a, RULE_LOOP_BLOCKED, severity_of(a, b), b->thread);
	const char *how;

	if (!f)
		return;
	how = b->cause == REASON_NONE ? "runs"
				      : report__format(a->report, "waits (%.*s)",
						       (int)strlen(reason) - 2, reason + 1);
	f->headline = b->count == 1 ? report__format(a->report, "once, %.0f ms",
						     milliseconds(b->worst_ns))
				    : report__format(a->report, "%llu %s, longest %.0f ms",
						     (unsigned long long)b->count, times,
						     milliseconds(b->worst_ns));
	f->text = report__format(a->report, "%s %s%s%s while the event loop waits for it",
				 analysis__where(a, b->frame), how, b->task ? " in task " : "",
				 b->task ? b->task : "");
	f->advice = advice(b->cause, facts->marks, (enum message_kind)facts->message);
	analysis__evidence(a, f, b->worst_stack, b->frame);
	analysis__worst(a, f, b->worst_begin, b->worst_ns);
	finding__number(f, "blocked", milliseconds(b->ns), "ms");
	finding__number(f, "times", (double)b->count, "");
	finding__number(f, "longest", milliseconds(b->worst_ns), "ms");
	finding__number(f, "ran", milliseconds(b->ran_ns), "ms");
	finding__number(f, "waited", milliseconds(b->ns - b->ran_ns), "ms");
	f->amount = (double)b->worst_ns;
}

static void merge(struct loop_block *into, const struct loop_block *b)
{
	into->count += b->count;
	into->ns += b->ns;
	into->ran_ns += b->ran_ns;
	if (b->worst_ns > into->worst_ns) {
		into->worst_ns = b->worst_ns;
		into->worst_begin = b->worst_begin;
	}
	if (b->worst_own_ns > into->worst_own_ns)
		into->worst_own_ns = b->worst_own_ns;
}

/* What one task does for one reason is one thing, though some of its stacks end early: the
 * first block of them whose function is known takes the others. */
static void merge_guessed(struct loop *l)
{
	struct idmap keys = { 0 };
	VEC(struct loop_block *) known = { 0 };

	for (size_t i = 0; i < l->blocks.n; i++) {
		struct loop_block *b = &l->blocks.data[i];
		uint32_t key;

		if (b->guessed || !b->task)
			continue;
		key = idmap__intern(&keys, (uint64_t)b->thread << 8 | b->cause, (uintptr_t)b->task);
		if (key == known.n)
			vec__push(&known, b);
	}
	for (size_t i = 0; i < l->blocks.n; i++) {
		struct loop_block *b = &l->blocks.data[i];
		uint32_t key = b->guessed && b->task
				       ? idmap__find(&keys, (uint64_t)b->thread << 8 | b->cause,
						     (uintptr_t)b->task)
				       : IDMAP_NONE;

		if (key == IDMAP_NONE)
			continue;
		merge(known.data[key], b);
		b->count = 0;
	}
	vec__release(&known);
	idmap__release(&keys);
}

void loop__report(struct analysis *a)
{
	merge_guessed(&a->loop);
	for (size_t i = 0; i < a->loop.blocks.n; i++)
		if (a->loop.blocks.data[i].count)
			report_block(a, &a->loop.blocks.data[i]);
}
