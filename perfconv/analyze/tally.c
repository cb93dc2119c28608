// SPDX-License-Identifier: GPL-2.0
#include "perfconv/analyze/tally.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"

/* The rows that time in a stack goes to, found once for each stack of a thread. */
struct stack_rows {
	uint32_t thread_plus_1; /* whose these are; another: not known yet */
	uint32_t first, n;
};

struct adding {
	struct tally *tally;
	struct tally_run *run;
	uint32_t index; /* of the run */
	struct stack_rows *stacks;
	VEC(uint32_t) rows; /* lists of stack_rows */
	uint32_t *seen;	    /* by function: the last stack that had it */
	uint32_t stack_serial;
	uint32_t thread_plus_1, group;
};

bool tally__is_machine(enum reason reason)
{
	return reason == REASON_PREEMPTED || reason == REASON_RUN_QUEUE;
}

/* --- names ------------------------------------------------------------------ */

/* "Proxy_12" -> "Proxy_*"; "worker (tid 345)" -> "worker". */
static uint32_t pattern_of(struct tally *t, const char *name)
{
	const char *tid = strstr(name, " (tid ");
	size_t n = tid ? (size_t)(tid - name) : strlen(name), to = 0;
	char *pattern = mem__alloc(n + 1, 1);
	uint32_t id;

	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)name[i]))
			pattern[to++] = name[i];
		else if (!to || pattern[to - 1] != '*')
			pattern[to++] = '*';
	id = strtab__intern(&t->strings, pattern);
	free(pattern);
	return id;
}

static uint32_t findnew_group(struct tally *t, const char *name)
{
	uint32_t pattern = pattern_of(t, name), full = strtab__intern(&t->strings, name);
	uint32_t id = idmap__intern(&t->group_keys, pattern, 0);

	if (id == t->groups.n)
		vec__push(&t->groups, ((struct tally_group){ .pattern = pattern, .name = full }));
	else if (t->groups.data[id].name != full)
		t->groups.data[id].name = pattern;
	return id;
}

static void add_groups(struct adding *a)
{
	struct tally *t = a->tally;
	const struct profile *p = a->run->profile;
	uint32_t *counts;

	a->run->groups = mem__alloc(p->threads.n, sizeof(*a->run->groups));
	for (size_t i = 0; i < p->threads.n; i++)
		a->run->groups[i] = findnew_group(t, p->threads.data[i].name);
	counts = mem__alloc(t->groups.n, sizeof(*counts));
	for (size_t i = 0; i < p->threads.n; i++)
		counts[a->run->groups[i]]++;
	for (size_t i = 0; i < t->groups.n; i++)
		if (counts[i] > t->groups.data[i].threads[a->run->side])
			t->groups.data[i].threads[a->run->side] = counts[i];
	free(counts);
}

/* What of a source's path is the same wherever the program is installed. */
static const char *place_of_source(const char *path)
{
	static const char *const roots[] = { "/site-packages/", "/dist-packages/" };
	const char *base = file__base(path), *lib = strstr(path, "/lib/python3");

	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		const char *found = strstr(path, roots[i]);

		if (found)
			return found + strlen(roots[i]);
	}
	lib = lib ? strchr(lib + 5, '/') : NULL;
	return lib ? lib + 1 : base;
}

static uint32_t findnew_function(struct tally *t, const struct resolved *r, const struct frame *f)
{
	const char *source = strtab__get(&r->strings, f->file ? f->file : f->object);
	bool python = f->kind == FRAME_PYTHON;
	struct tally_function new = {
		.name = strtab__intern(&t->strings, strtab__get(&r->strings, f->name)),
		.line = f->first_line ? f->first_line : f->line,
		.kind = f->kind,
	};
	uint32_t id;

	if (!python && f->object)
		source = strtab__get(&r->strings, f->object);
	new.place =
		strtab__intern(&t->strings, python ? place_of_source(source) : file__base(source));
	id = idmap__intern(&t->function_keys, new.name, new.place);
	if (id == t->functions.n)
		vec__push(&t->functions, new);
	else
		t->functions.data[id].line = new.line;
	return id;
}

static void add_functions(struct adding *a)
{
	const struct resolved *r = a->run->profile->resolved;

	a->run->functions = mem__alloc(r->frames.n, sizeof(*a->run->functions));
	for (size_t i = 0; i < r->frames.n; i++) {
		const struct frame *f = &r->frames.data[i];
		bool note = f->kind == FRAME_NOTE || f->kind == FRAME_THREAD;

		a->run->functions[i] = note ? TALLY_NOTHING : findnew_function(a->tally, r, f);
	}
}

/* --- rows ------------------------------------------------------------------- */

static uint64_t row_key(enum tally_kind kind, enum reason reason)
{
	return (uint64_t)kind << 32 | (uint64_t)reason;
}

static uint32_t findnew_row(struct tally *t, enum tally_kind kind, uint32_t group,
			    uint32_t function, enum reason reason)
{
	uint32_t id = idmap__intern(&t->row_keys, (uint64_t)group << 32 | function,
				    row_key(kind, reason));

	if (id == t->rows.n)
		vec__push(&t->rows, ((struct tally_row){ kind, group, function, reason, 0, 0 }));
	return id;
}

uint32_t tally__find(const struct tally *t, enum tally_kind kind, uint32_t group, uint32_t function,
		     enum reason reason)
{
	return idmap__find(&t->row_keys, (uint64_t)group << 32 | function, row_key(kind, reason));
}

static bool is_note(const struct resolved *r, uint32_t stack)
{
	enum frame_kind kind = r->frames.data[resolved__leaf(r, stack)].kind;

	return kind == FRAME_NOTE || kind == FRAME_THREAD;
}

uint32_t tally__owner(const struct resolved *r, uint32_t stack)
{
	uint32_t innermost = TALLY_NOTHING;

	for (uint32_t s = stack; s != RESOLVE_NO_STACK; s = resolved__parent(r, s)) {
		uint32_t frame = resolved__leaf(r, s);

		if (r->frames.data[frame].kind == FRAME_PYTHON)
			return frame;
		if (innermost == TALLY_NOTHING && !is_note(r, s))
			innermost = frame;
	}
	return innermost;
}

/* The reason that a stack ends with; REASONS: none, it is code. */
static enum reason reason_of(const struct resolved *r, uint32_t stack)
{
	const struct frame *f = &r->frames.data[resolved__leaf(r, stack)];

	return f->kind == FRAME_NOTE ? reason__by_name(strtab__get(&r->strings, f->name)) : REASONS;
}

static void push_row(struct adding *a, enum tally_kind kind, uint32_t function, enum reason reason)
{
	vec__push(&a->rows, findnew_row(a->tally, kind, a->group, function, reason));
}

/* Recursion counts once. */
static void push_totals(struct adding *a, uint32_t stack)
{
	const struct resolved *r = a->run->profile->resolved;

	a->stack_serial++;
	for (uint32_t s = stack; s != RESOLVE_NO_STACK; s = resolved__parent(r, s)) {
		uint32_t function = a->run->functions[resolved__leaf(r, s)];

		if (function == TALLY_NOTHING || a->seen[function] == a->stack_serial)
			continue;
		a->seen[function] = a->stack_serial;
		push_row(a, TALLY_TOTAL, function, REASON_NONE);
	}
}

static void push_rows(struct adding *a, const struct profile_slice *slice)
{
	const struct resolved *r = a->run->profile->resolved;
	enum reason reason = reason_of(r, slice->stack);
	uint32_t owner = tally__owner(r, slice->stack);
	uint32_t function = owner == TALLY_NOTHING ? owner : a->run->functions[owner];

	if (slice->off) {
		push_row(a, TALLY_THREAD_WAIT, TALLY_NOTHING, reason);
		if (!tally__is_machine(reason))
			push_row(a, TALLY_WAIT, function, reason);
		return;
	}
	push_row(a, TALLY_THREAD, TALLY_NOTHING, REASON_NONE);
	if (function == TALLY_NOTHING || reason == REASON_SWITCHING)
		return; /* the thread's, but no function's */
	push_row(a, TALLY_OWN, function, REASON_NONE);
	push_totals(a, slice->stack);
}

static const struct stack_rows *rows_of(struct adding *a, const struct profile_slice *slice)
{
	struct stack_rows *known = &a->stacks[slice->stack];

	if (known->thread_plus_1 != a->thread_plus_1) {
		known->thread_plus_1 = a->thread_plus_1;
		known->first = (uint32_t)a->rows.n;
		push_rows(a, slice);
		known->n = (uint32_t)a->rows.n - known->first;
	}
	return known;
}

/* --- blocks ----------------------------------------------------------------- */

/* The last one takes a rest of less than half a block. */
static void add_blocks(struct adding *a)
{
	uint64_t left = a->run->profile->duration, block = TALLY_BLOCK_NS;
	struct tally *t = a->tally;

	if (a->run->profile->bucket_ns > block)
		block = a->run->profile->bucket_ns;
	if (left / block > TALLY_MAX_BLOCKS)
		block = left / TALLY_MAX_BLOCKS;
	a->run->first_block = (uint32_t)t->blocks.n;
	do {
		uint64_t n = left < block + block / 2 ? left : block;

		vec__push(&t->blocks,
			  ((struct tally_block){ a->run->side, a->index, n ? (double)n : 1 }));
		left -= n;
	} while (left);
	a->run->blocks = (uint32_t)t->blocks.n - a->run->first_block;
}

static void add_cell(struct tally *t, uint32_t row, uint32_t block, double ns)
{
	uint32_t id = idmap__intern(&t->cell_keys, row, block);

	if (id == t->cells.n)
		vec__push(&t->cells, ((struct tally_cell){ row, block, 0 }));
	t->cells.data[id].ns += ns;
}

static void add_to_rows(struct adding *a, const struct stack_rows *rows, uint32_t block, double ns)
{
	for (uint32_t i = 0; i < rows->n; i++)
		add_cell(a->tally, a->rows.data[rows->first + i], block, ns);
}

static void add_thread(struct adding *a, const struct profile_thread *thread)
{
	const struct tally_block *blocks = &a->tally->blocks.data[a->run->first_block];
	double left_in_block = blocks[0].ns;
	uint32_t block = 0;

	for (size_t i = 0; i < thread->slices.n; i++) {
		const struct profile_slice *slice = &thread->slices.data[i];
		bool gap = slice->stack == RESOLVE_NO_STACK;
		double ns = (double)slice->weight;

		while (ns > 0) {
			bool last = block + 1 == a->run->blocks;
			double part = last || ns < left_in_block ? ns : left_in_block;

			if (!gap)
				add_to_rows(a, rows_of(a, slice), a->run->first_block + block,
					    part);
			ns -= part;
			left_in_block -= part;
			if (left_in_block <= 0 && !last)
				left_in_block = blocks[++block].ns;
		}
	}
}

void tally__add(struct tally *t, enum tally_side side, const struct profile *profile,
		uint64_t period_ns)
{
	struct tally_run run = { .profile = profile,
				 .side = side,
				 .seconds = (double)profile->duration / 1e9,
				 .period_ns = period_ns };
	struct adding a = { .tally = t, .run = &run, .index = (uint32_t)t->runs.n };

	strtab__intern(&t->strings, "");
	a.stacks = mem__alloc(profile->resolved->stacks.n, sizeof(*a.stacks));
	add_groups(&a);
	add_functions(&a);
	a.seen = mem__alloc(t->functions.n, sizeof(*a.seen));
	add_blocks(&a);
	for (uint32_t i = 0; i < profile->threads.n; i++) {
		a.thread_plus_1 = i + 1;
		a.group = run.groups[i];
		a.rows.n = 0;
		add_thread(&a, &profile->threads.data[i]);
	}
	vec__push(&t->runs, run);
	vec__release(&a.rows);
	free(a.seen);
	free(a.stacks);
}

static int by_row_and_block(const void *a, const void *b)
{
	const struct tally_cell *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->block < y->block ? -1 : x->block > y->block;
}

void tally__finish(struct tally *t)
{
	if (t->cells.n)
		qsort(t->cells.data, t->cells.n, sizeof(*t->cells.data), by_row_and_block);
	idmap__release(&t->cell_keys); /* they named other places */
	for (uint32_t i = 0; i < t->cells.n; i++) {
		struct tally_row *row = &t->rows.data[t->cells.data[i].row];

		if (!row->cells++)
			row->first_cell = i;
	}
}

double tally__seconds(const struct tally *t, enum tally_side side)
{
	double sum = 0;

	for (size_t i = 0; i < t->runs.n; i++)
		if (t->runs.data[i].side == side)
			sum += t->runs.data[i].seconds;
	return sum;
}

void tally__release(struct tally *t)
{
	for (size_t i = 0; i < t->runs.n; i++) {
		free(t->runs.data[i].groups);
		free(t->runs.data[i].functions);
	}
	vec__release(&t->runs);
	vec__release(&t->blocks);
	vec__release(&t->cells);
	vec__release(&t->rows);
	vec__release(&t->functions);
	vec__release(&t->groups);
	idmap__release(&t->cell_keys);
	idmap__release(&t->row_keys);
	idmap__release(&t->function_keys);
	idmap__release(&t->group_keys);
	strtab__release(&t->strings);
}
