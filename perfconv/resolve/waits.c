// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/waits.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/resolve/likeness.h"
#include "perfconv/resolve/outer.h"
#include "perfconv/resolve/runtime.h"
#include "perfconv/sidefile/linetable.h"
#include "perfconv/unwind/regs_key.h"

#define NOT_LOOKED 0xff

struct waits {
	struct waits_sources from;
	struct runtimes runtimes;
	struct likeness likeness;
	struct outer outer;
	VEC(uint8_t) location_reasons; /* by location; NOT_LOOKED */
	VEC(uint8_t) place_reasons;    /* by place; NOT_LOOKED; a futex is still a lock */
	struct idmap shown_keys;       /* (user stack and cut, place and reason) */
	struct idmap lined_keys;       /* (id in shown_keys, positions) */
	VEC(uint32_t) shown;	       /* by id in lined_keys: resolved */
	uint32_t reason_frames[REASONS], shortened_frame;
	uint64_t contradicted;
	VEC(uint32_t) always; /* by thread: what its snapshots share; NO_SNAPSHOTS, NOT_YET */
	VEC(uint32_t) path;   /* scratch */
};

/* Of a thread's snapshots; other values are resolved stacks. */
#define NO_SNAPSHOTS RESOLVE_NO_STACK
#define NOT_YET (RESOLVE_NO_STACK - 1)

struct waits *waits__new(const struct waits_sources *sources)
{
	struct waits *w = mem__alloc(1, sizeof(*w));

	w->from = *sources;
	runtimes__init(&w->runtimes, sources->machine, sources->images, sources->python);
	likeness__init(&w->likeness, sources->store, sources->switches, sources->resolver);
	outer__init(&w->outer, sources->store, sources->machine);
	w->shortened_frame = resolver__label(sources->resolver, FRAME_NOTE, "[shortened]");
	for (size_t i = 0; i < REASONS; i++)
		w->reason_frames[i] = resolver__label(sources->resolver, FRAME_NOTE,
						      reason__name((enum reason)i));
	return w;
}

void waits__free(struct waits *w)
{
	if (!w)
		return;
	runtimes__release(&w->runtimes);
	likeness__release(&w->likeness);
	outer__release(&w->outer);
	vec__release(&w->location_reasons);
	vec__release(&w->place_reasons);
	idmap__release(&w->shown_keys);
	idmap__release(&w->lined_keys);
	vec__release(&w->shown);
	vec__release(&w->always);
	vec__release(&w->path);
	free(w);
}

static bool is_kernel(const struct waits *w, uint32_t stack)
{
	uint32_t leaf = store__leaf(w->from.store, stack);

	return store__get_location(w->from.store, leaf).place.dso == DSO_ID_KERNEL;
}

/* --- reasons ---------------------------------------------------------------- */

static enum reason reason_of_location(struct waits *w, uint32_t location)
{
	struct store_location l = store__get_location(w->from.store, location);
	const char *name;

	while (w->location_reasons.n <= location)
		vec__push(&w->location_reasons, NOT_LOOKED);
	if (w->location_reasons.data[location] != NOT_LOOKED)
		return (enum reason)w->location_reasons.data[location];
	l.place.address -= l.return_address;
	name = symbols__find(w->from.symbols, l.place);
	w->location_reasons.data[location] = (uint8_t)(!name ? REASON_NONE
						       : l.place.dso == DSO_ID_KERNEL
							       ? reason__of_kernel(name)
							       : reason__of_user(name));
	return (enum reason)w->location_reasons.data[location];
}

/* From the leaf outwards; beyond the kernel only the function that called it counts. */
static enum reason reason_of_stack(struct waits *w, uint32_t stack)
{
	enum reason reason = REASON_NONE;

	for (uint32_t s = stack; s != STORE_NO_STACK; s = store__parent(w->from.store, s)) {
		reason = reason__combine(reason,
					 reason_of_location(w, store__leaf(w->from.store, s)));
		if (!is_kernel(w, s))
			break;
	}
	return reason;
}

static enum reason reason_of_place(struct waits *w, uint32_t thread, uint32_t place)
{
	struct switch_place p = switches__get_place(w->from.switches, place);
	enum reason reason;

	while (w->place_reasons.n <= place)
		vec__push(&w->place_reasons, NOT_LOOKED);
	if (w->place_reasons.data[place] == NOT_LOOKED) {
		uint8_t found = (uint8_t)reason_of_stack(w, p.stack);

		w->place_reasons.data[place] = found;
	}
	reason = (enum reason)w->place_reasons.data[place];
	if ((reason == REASON_LOCK || reason == REASON_NONE) && p.argument &&
	    runtimes__holds(&w->runtimes, thread, p.argument))
		return REASON_GIL;
	return reason == REASON_NONE ? REASON_OTHER : reason;
}

static enum reason reason_of_entry(struct waits *w, uint32_t thread, const struct threads_entry *e)
{
	enum reason reason = reason__of_kernel(e->wchan);

	for (uint32_t i = 0; i < e->functions; i++)
		reason = reason__combine(
			reason, reason__of_kernel(w->from.threads->functions.data[e->first + i]));
	if (reason == REASON_LOCK && runtimes__holds(&w->runtimes, thread, e->argument))
		return REASON_GIL;
	if (reason == REASON_NONE && (e->state == 'T' || e->state == 't'))
		return REASON_STOPPED;
	return reason;
}

/* What /proc said during a wait, or before the first record of a thread that waits since. */
static const struct threads_entry *entry_within(const struct waits *w, uint32_t thread,
						const struct interval *i)
{
	const struct threads_file *f = w->from.threads;
	const struct thread *t = &w->from.machine->threads.data[thread];
	uint32_t pid = w->from.machine->processes.data[t->process].pid;
	const struct threads_entry *e;

	if (!f || !w->from.monotonic)
		return NULL;
	e = threads_file__find(f, t->tid);
	for (; e && e < f->entries.data + f->entries.n && e->tid == t->tid; e++)
		if (e->pid == pid && e->state != 'R' && e->time_ns <= i->back_ns &&
		    (e->time_ns >= i->out_ns || (i->unseen && !e->at_end)))
			return e;
	return NULL;
}

static enum reason reason_of(struct waits *w, uint32_t thread, const struct interval *i)
{
	const struct threads_entry *entry;

	if (i->state == THREAD_RUNNABLE)
		return i->preempted ? REASON_PREEMPTED : REASON_RUN_QUEUE;
	if (i->place != SWITCH_NO_PLACE)
		return reason_of_place(w, thread, i->place);
	entry = entry_within(w, thread, i);
	return entry ? reason_of_entry(w, thread, entry) : REASON_NONE;
}

/* --- stacks ----------------------------------------------------------------- */

/* @user, called into the kernel at @place. */
static uint32_t with_kernel_of(struct waits *w, uint32_t user, uint32_t place)
{
	uint32_t stack = switches__get_place(w->from.switches, place).stack;

	w->path.n = 0;
	for (; stack != STORE_NO_STACK && is_kernel(w, stack);
	     stack = store__parent(w->from.store, stack))
		vec__push(&w->path, store__leaf(w->from.store, stack));
	for (size_t i = w->path.n; i-- > 0;)
		user = store__push(w->from.store, user, w->path.data[i]);
	return user;
}

static uint32_t push(struct waits *w, uint32_t stack, uint32_t frame)
{
	return resolver__push(w->from.resolver, stack, frame);
}

/*
 * A user stack as it is shown with the kernel's chain of @place and a reason.
 * @positions: what is known of its Python functions' current lines
 */
static uint32_t show(struct waits *w, uint32_t user, bool cut, uint32_t positions, uint32_t place,
		     enum reason reason)
{
	enum frames_mode mode = resolver__mode(w->from.resolver);
	uint64_t a = (uint64_t)user << 1 | cut, b = (uint64_t)place << 8 | reason;
	uint32_t where = idmap__intern(&w->shown_keys, a, b), stack;
	uint32_t key = idmap__intern(&w->lined_keys, where, positions);

	if (key < w->shown.n)
		return w->shown.data[key];
	if (place != SWITCH_NO_PLACE && (mode == FRAMES_ALL || mode == FRAMES_NATIVE))
		user = with_kernel_of(w, user, place);
	stack = resolver__lined(w->from.resolver, user, cut, positions);
	stack = push(w, stack, w->reason_frames[reason]);
	vec__push(&w->shown, stack);
	return stack;
}

/* The sample that shows the stack of a time off the CPU, or NULL. */
static const struct store_sample *dump_of(struct waits *w, uint32_t thread,
					  const struct interval *i)
{
	uint32_t sample = LIKENESS_NONE;

	if (i->place != SWITCH_NO_PLACE)
		sample = likeness__find(&w->likeness, thread, i->place, i->out_ns, i->back_ns);
	return sample == LIKENESS_NONE ? NULL : &w->from.store->samples.data[sample];
}

static bool is_cut(const struct store_sample *s)
{
	return s->ending == STACK_TRUNCATED || s->ending == STACK_LOST;
}

static uint32_t positions_of(struct waits *w, uint32_t thread, const struct interval *i)
{
	return likeness__positions(&w->likeness, w->from.store, resolver__lines(w->from.resolver),
				   thread, i->place, i->out_ns, i->back_ns);
}

static uint32_t show_dump(struct waits *w, uint32_t thread, const struct store_sample *s, bool cut,
			  const struct interval *i, enum reason reason)
{
	return show(w, likeness__user_stack(w->from.store, s->stack), cut,
		    positions_of(w, thread, i), i->place, reason);
}

/* @lined: with the current lines, which pyframes wrote down too. */
static uint32_t snapshot_stack(struct waits *w, const struct sidefile *file,
			       const struct sidefile_stack *found, bool lined)
{
	uint32_t stack = RESOLVE_NO_STACK;

	for (uint32_t k = found->frames; k-- > 0;) {
		struct sidefile_frame at = file->frames.data[found->first + k];
		const struct sidefile_code *code = sidefile__code_by_id(file, at.code);
		struct python_frame f;
		uint32_t line = 0;

		if (!code)
			continue;
		if (lined && at.position >= 0)
			line = linetable__line(code, file->python_hex, (uint32_t)at.position);
		f = (struct python_frame){ code->name, code->file, code->first_line, code->task };
		stack = push(w, stack, resolver__python(w->from.resolver, &f, line));
	}
	return stack;
}

static uint32_t python_frame_by_id(struct waits *w, const struct sidefile *file, uint32_t id)
{
	const struct sidefile_code *code = sidefile__code_by_id(file, id);
	struct python_frame f;

	if (!code)
		return RESOLVE_NO_STACK;
	f = (struct python_frame){ code->name, code->file, code->first_line, code->task };
	return resolver__python(w->from.resolver, &f, 0);
}

/* The Python stack that pyframes wrote down while the thread was off its CPU. */
static bool find_snapshot(struct waits *w, uint32_t thread, const struct interval *i,
			  uint32_t *stack)
{
	const struct sidefile *file = python__side_file(w->from.python, thread);
	uint32_t tid = w->from.machine->threads.data[thread].tid;
	const struct sidefile_stack *found;

	if (!file || !w->from.monotonic || resolver__mode(w->from.resolver) == FRAMES_NATIVE)
		return false;
	found = sidefile__stack_within(file, sidefile__inner_tid(file, tid), i->out_ns, i->back_ns);
	if (!found || !found->frames)
		return false;
	*stack = snapshot_stack(w, file, found, true);
	return true;
}

/* The function a thread's Python begins in, as a snapshot of it shows; it stays the same. */
static uint32_t outermost_python(struct waits *w, uint32_t thread)
{
	const struct sidefile *file = python__side_file(w->from.python, thread);
	uint32_t tid = w->from.machine->threads.data[thread].tid;
	const struct sidefile_stack *any;

	any = file ? sidefile__stack_within(file, sidefile__inner_tid(file, tid), 0, UINT64_MAX)
		   : NULL;
	if (!any || !any->frames)
		return RESOLVE_NO_STACK;
	return python_frame_by_id(w, file, file->frames.data[any->first + any->frames - 1].code);
}

/* Whether a stack is cut below its Python functions only, in a view that does not show
 * what lies there: how the C library starts a thread. */
static bool has_all_python(struct waits *w, uint32_t thread, const struct store_sample *s)
{
	const struct resolved *r = resolver__resolved(w->from.resolver);
	enum frames_mode mode = resolver__mode(w->from.resolver);
	uint32_t first = outermost_python(w, thread), last = RESOLVE_NO_STACK;
	uint32_t stack;

	if (first == RESOLVE_NO_STACK || (mode != FRAMES_MERGED && mode != FRAMES_PYTHON))
		return false;
	stack = resolver__stack(w->from.resolver, likeness__user_stack(w->from.store, s->stack),
				false);
	for (; stack != RESOLVE_NO_STACK; stack = resolved__parent(r, stack))
		if (r->frames.data[resolved__leaf(r, stack)].kind == FRAME_PYTHON)
			last = resolved__leaf(r, stack);
	return last == first;
}

/* The next Python function from @stack on outwards, or RESOLVE_NO_STACK. */
static uint32_t next_python(const struct resolved *r, uint32_t stack)
{
	while (stack != RESOLVE_NO_STACK &&
	       r->frames.data[resolved__leaf(r, stack)].kind != FRAME_PYTHON)
		stack = resolved__parent(r, stack);
	return stack;
}

/* Whether two stacks have the same Python functions, whatever lies between them. */
static bool same_python(const struct resolved *r, uint32_t a, uint32_t b)
{
	for (;;) {
		const struct frame *x, *y;

		a = next_python(r, a);
		b = next_python(r, b);
		if (a == RESOLVE_NO_STACK || b == RESOLVE_NO_STACK)
			return a == b;
		x = &r->frames.data[resolved__leaf(r, a)];
		y = &r->frames.data[resolved__leaf(r, b)];
		if (x->name != y->name || x->file != y->file || x->first_line != y->first_line)
			return false;
		a = resolved__parent(r, a);
		b = resolved__parent(r, b);
	}
}

void waits__learn(struct waits *w, uint32_t thread, const struct interval *i)
{
	const struct store_sample *s = dump_of(w, thread, i);
	uint32_t dumped, snapshot;

	if (!s || is_cut(s) || !find_snapshot(w, thread, i, &snapshot))
		return;
	dumped = resolver__stack(w->from.resolver, likeness__user_stack(w->from.store, s->stack),
				 false);
	if (same_python(resolver__resolved(w->from.resolver), dumped, snapshot))
		return;
	w->contradicted++;
	likeness__refute(&w->likeness, thread, i->place);
}

/* A dump of the same registers is believed unless a snapshot knows better. */
static bool show_equal(struct waits *w, uint32_t thread, const struct interval *i, struct wait *out)
{
	const struct store_sample *s = dump_of(w, thread, i);
	bool snapshot = find_snapshot(w, thread, i, &out->stack);
	uint32_t shown;

	if (s && (!is_cut(s) || has_all_python(w, thread, s))) {
		shown = show_dump(w, thread, s, false, i, out->reason);
		if (!snapshot ||
		    same_python(resolver__resolved(w->from.resolver), shown, out->stack)) {
			out->stack = shown;
			out->how = WAIT_EQUAL;
			return true;
		}
	}
	if (snapshot) {
		out->stack = push(w, out->stack, w->reason_frames[out->reason]);
		out->how = WAIT_SNAPSHOT;
		return true;
	}
	if (!s)
		return false;
	out->stack = show_dump(w, thread, s, true, i, out->reason);
	out->how = WAIT_CUT;
	return true;
}

static bool show_chain(struct waits *w, const struct interval *i, struct wait *out)
{
	uint32_t user;

	if (!w->from.chains_trusted || i->place == SWITCH_NO_PLACE)
		return false;
	user = likeness__user_stack(w->from.store,
				    switches__get_place(w->from.switches, i->place).stack);
	if (user == STORE_NO_STACK || store__parent(w->from.store, user) == STORE_NO_STACK)
		return false; /* an address alone is no chain */
	out->stack = show(w, user, false, POSITIONS_NONE, i->place, out->reason);
	out->how = WAIT_CHAIN;
	return true;
}

static bool find_sp(const struct waits *w, uint32_t thread, const struct interval *i, uint64_t *sp)
{
	const struct threads_entry *entry = NULL;
	uint64_t words[2];
	uint32_t regs;

	if (i->place == SWITCH_NO_PLACE) {
		entry = entry_within(w, thread, i);
		*sp = entry ? entry->sp : 0;
		return *sp;
	}
	regs = switches__get_place(w->from.switches, i->place).regs;
	if (regs == SWITCH_NO_REGS)
		return false;
	switches__get_regs(w->from.switches, regs, words);
	*sp = regs_key__sp(words);
	return true;
}

/* The root's part that two stacks share. */
static uint32_t shared_part(const struct resolved *r, uint32_t a, uint32_t b)
{
	while (a != b) /* a callee's id is higher than its caller's */
		if (b == RESOLVE_NO_STACK || (a != RESOLVE_NO_STACK && a > b))
			a = resolved__parent(r, a);
		else
			b = resolved__parent(r, b);
	return a;
}

static uint32_t find_always(struct waits *w, uint32_t thread)
{
	const struct sidefile *file = python__side_file(w->from.python, thread);
	const struct outer_thread *t = &w->outer.threads[thread];
	uint32_t tid = w->from.machine->threads.data[thread].tid, stack;
	const struct sidefile_stack *s, *end;

	if (!file || !w->from.monotonic)
		return NO_SNAPSHOTS;
	tid = sidefile__inner_tid(file, tid);
	s = sidefile__stack_within(file, tid, t->first_ns, t->last_ns);
	if (!s)
		return NO_SNAPSHOTS;
	end = file->stacks.data + file->stacks.n;
	stack = snapshot_stack(w, file, s, false);
	for (; s < end && s->tid == tid && s->time_ns <= t->last_ns; s++)
		stack = shared_part(resolver__resolved(w->from.resolver), stack,
				    snapshot_stack(w, file, s, false));
	return stack;
}

/* The Python functions that all snapshots of the thread share, as a stack. */
static uint32_t always_there(struct waits *w, uint32_t thread)
{
	while (w->always.n <= thread)
		vec__push(&w->always, NOT_YET);
	if (w->always.data[thread] == NOT_YET) {
		uint32_t found = find_always(w, thread);

		w->always.data[thread] = found;
	}
	return w->always.data[thread];
}

/*
 * Dumps are taken of switches that come often, so that all may miss a function that
 * waits seldom.  Snapshots do not: where they disagree, the rest is not shown.
 */
static uint32_t without_doubtful(struct waits *w, uint32_t thread, uint32_t stack)
{
	const struct resolved *r = resolver__resolved(w->from.resolver);
	uint32_t known = always_there(w, thread), n = 0, all = 0;

	for (uint32_t s = next_python(r, stack); s != RESOLVE_NO_STACK;
	     s = next_python(r, resolved__parent(r, s)))
		all++;
	for (uint32_t s = known; s != RESOLVE_NO_STACK; s = resolved__parent(r, s))
		n++;
	for (; n > all; n--)
		known = resolved__parent(r, known);
	for (; all > n || !same_python(r, stack, known); all--) {
		stack = next_python(r, stack);
		if (stack == RESOLVE_NO_STACK)
			return stack;
		stack = next_python(r, resolved__parent(r, stack));
		if (all <= n) {
			known = resolved__parent(r, known);
			n--;
		}
	}
	return stack;
}

static bool show_outer(struct waits *w, uint32_t thread, const struct interval *i, struct wait *out)
{
	uint32_t user;
	uint64_t sp;

	if (!find_sp(w, thread, i, &sp))
		return false;
	user = outer__find(&w->outer, thread, i->out_ns, i->back_ns, sp);
	if (user == STORE_NO_STACK)
		return false;
	out->stack = resolver__stack(w->from.resolver, user, false);
	out->stack = without_doubtful(w, thread, out->stack);
	if (out->stack == RESOLVE_NO_STACK)
		return false;
	out->stack = push(w, out->stack, w->shortened_frame);
	out->stack = push(w, out->stack, w->reason_frames[out->reason]);
	out->how = WAIT_OUTER;
	return true;
}

static void show_none(struct waits *w, const struct interval *i, struct wait *out)
{
	uint32_t user = STORE_NO_STACK;

	if (i->place != SWITCH_NO_PLACE)
		user = likeness__user_stack(w->from.store,
					    switches__get_place(w->from.switches, i->place).stack);
	out->stack = show(w, user, true, POSITIONS_NONE, i->place, out->reason);
	out->how = WAIT_NONE;
}

static void find_stack(struct waits *w, uint32_t thread, const struct interval *i, struct wait *out)
{
	if (!show_equal(w, thread, i, out) && !show_chain(w, i, out) &&
	    !show_outer(w, thread, i, out))
		show_none(w, i, out);
}

struct wait waits__find(struct waits *w, uint32_t thread, const struct interval *interval)
{
	struct wait out = { .reason = reason_of(w, thread, interval) };

	find_stack(w, thread, interval, &out);
	return out;
}

uint32_t waits__switching(struct waits *w, uint32_t thread, const struct interval *interval)
{
	struct wait out = { .reason = REASON_SWITCHING };

	find_stack(w, thread, interval, &out);
	return out.stack;
}

uint32_t waits__switch_stack(struct waits *w, uint32_t thread, const struct interval *after)
{
	const struct store_sample *s = dump_of(w, thread, after);

	if (!s)
		return RESOLVE_NO_STACK;
	return resolver__lined(w->from.resolver, likeness__user_stack(w->from.store, s->stack),
			       is_cut(s), positions_of(w, thread, after));
}

uint64_t waits__contradicted(const struct waits *w)
{
	return w->contradicted;
}
