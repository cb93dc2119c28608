// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/lines.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/resolve/bytecode.h"
#include "perfconv/resolve/learner.h"
#include "perfconv/unwind/functions.h"

/* A side file may be anybody's: bytes of code and tables that are looked through. */
#define WORK_BYTES ((uint64_t)2 << 30)
#define ENTRY_BYTES 256u   /* at its start the evaluator does not yet have a position */
#define LEAVES 0x80000000u /* beside a dso's id: its sampled addresses */
#define LEAF_SHARE 0.75	   /* of innermost frames that have the register in range */

struct current {
	uint32_t line;
	uint8_t basis; /* enum line_basis */
};

struct leaf { /* of a build */
	uint64_t frames;
	uint64_t in_range[POSITIONS_FIRST_WORD]; /* by register */
	uint32_t slot;				 /* IDMAP_NONE: no register is it */
};

struct lines {
	const struct store *store;
	const struct machine *machine;
	struct images *images;
	struct python *python;
	struct functions functions;
	struct learner learner;
	struct idmap codes;	      /* two hashes of bytecode */
	VEC(struct leaf) leaves;      /* by dso */
	VEC(struct current) currents; /* by observation */
	struct lines_counts counts;
	uint64_t work_left;
};

/* An observation with what the side file says of its function. */
struct frame_seen {
	struct observation o;
	struct place at; /* of the evaluator; the call, if it is a return address */
	struct bytecode code;
	uint8_t opcodes[POSITIONS_MAX_CANDIDATES];
	bool between[POSITIONS_MAX_CANDIDATES];
	bool leaf; /* no call is under way */
};

/* Whether @code and its line table may be looked through once more. */
static bool may_work(struct lines *l, const struct sidefile_code *code)
{
	uint64_t bytes = (uint64_t)code->bytecode_bytes + code->line_table_bytes;

	if (bytes > l->work_left)
		return false;
	l->work_left -= bytes;
	return true;
}

static bool look(struct lines *l, uint32_t id, struct frame_seen *out)
{
	struct observation o = positions__get(&l->store->positions, id);
	struct store_location t = store__get_location(l->store, o.trampoline);
	struct store_location e = store__get_location(l->store, o.evaluator);
	uint32_t at;

	t.place.address -= t.return_address;
	*out = (struct frame_seen){ .o = o, .at = e.place, .leaf = !e.return_address };
	out->at.address -= e.return_address;
	out->code.code = python__code(l->python, t.place, &out->code.python_hex);
	if (!o.n || !out->code.code || !bytecode__is_known(out->code.python_hex))
		return false;
	for (uint32_t i = 0; i < o.n; i++) {
		uint8_t opcode =
			bytecode__before(out->code, position__offset(o.candidates[i]), NULL);

		if (!out->leaf && !bytecode__may_call(out->code.python_hex, opcode))
			opcode = BYTECODE_NONE;
		out->opcodes[i] = opcode;
		out->between[i] =
			!out->leaf && may_work(l, out->code.code) &&
			bytecode__interrupted(out->code, position__offset(o.candidates[i]), &at);
	}
	return true;
}

/* A number for this bytecode; modules and closures have the same code many times. */
static uint32_t number_of(struct lines *l, const struct sidefile_code *code)
{
	uint64_t a = code->bytecode_bytes, b = ~a;

	for (uint32_t i = 0; i < code->bytecode_bytes; i++) {
		a = (a ^ code->bytecode[i]) * 0x100000001b3u;
		b = (b + code->bytecode[i]) * 0x9fb21c651e98df25u;
		b ^= b >> 32;
	}
	return idmap__intern(&l->codes, a, b);
}

static struct leaf *leaf_of(struct lines *l, uint32_t dso)
{
	while (l->leaves.n <= dso)
		vec__add(&l->leaves)->slot = IDMAP_NONE;
	return &l->leaves.data[dso];
}

static void see_leaf(struct lines *l, const struct frame_seen *f)
{
	struct leaf *leaf = leaf_of(l, f->at.dso);

	leaf->frames += f->o.seen;
	for (uint32_t i = 0; i < f->o.n; i++) {
		uint32_t slot = position__slot(f->o.candidates[i]);

		if (slot < POSITIONS_FIRST_WORD)
			leaf->in_range[slot] += f->o.seen;
	}
}

static struct learner_frame learners(struct lines *l, const struct frame_seen *f)
{
	return (struct learner_frame){
		.place = f->o.evaluator,
		.object = f->at.dso,
		.code = number_of(l, f->code.code),
		.n = f->o.n,
		.candidates = f->o.candidates,
		.opcodes = f->opcodes,
		.between = f->between,
	};
}

static void see(struct lines *l, uint32_t id)
{
	struct learner_frame frame;
	struct frame_seen f;

	if (!look(l, id, &f))
		return;
	if (f.leaf) {
		see_leaf(l, &f);
		return;
	}
	frame = learners(l, &f);
	learner__see(&l->learner, &frame);
}

static uint32_t line_before(const struct frame_seen *f, uint32_t i)
{
	uint32_t at;

	if (bytecode__before(f->code, position__offset(f->o.candidates[i]), &at) == BYTECODE_NONE)
		return 0;
	return bytecode__line(f->code, at);
}

/*
 * At a sampled address too the code mostly serves one opcode: that of the instruction in
 * front of the register's value, or, where the step is put off, of the one at it.
 */
struct leaf_frame {
	struct learner_frame f;
	position_candidate candidates[2];
	uint8_t opcodes[2];
	bool between[2];
	uint32_t lines[2];
};

static bool make_leaf(struct lines *l, const struct frame_seen *f, struct leaf_frame *out)
{
	uint32_t slot = leaf_of(l, f->at.dso)->slot, i = 0, offset;

	*out = (struct leaf_frame){ 0 };
	while (i < f->o.n && position__slot(f->o.candidates[i]) != slot)
		i++;
	if (i == f->o.n)
		return false;
	offset = position__offset(f->o.candidates[i]);
	out->candidates[0] = position__candidate(slot, offset);
	out->opcodes[0] = f->opcodes[i];
	out->lines[0] = line_before(f, i);
	out->candidates[1] = position__candidate(slot + POSITIONS_SLOTS, offset);
	if (offset < f->code.code->bytecode_bytes) {
		out->opcodes[1] = f->code.code->bytecode[offset];
		out->lines[1] = bytecode__line(f->code, offset);
	}
	out->f = (struct learner_frame){
		.place = f->o.evaluator,
		.object = f->at.dso | LEAVES,
		.code = number_of(l, f->code.code),
		.n = 2,
		.candidates = out->candidates,
		.opcodes = out->opcodes,
		.between = out->between,
	};
	return true;
}

static void see_leaf_place(struct lines *l, uint32_t id)
{
	struct observation o = positions__get(&l->store->positions, id);
	struct leaf_frame leaf;
	struct frame_seen f;

	if (!store__get_location(l->store, o.evaluator).return_address && look(l, id, &f) &&
	    may_work(l, f.code.code) && make_leaf(l, &f, &leaf))
		learner__see(&l->learner, &leaf.f);
}

static void decide_leaves(struct lines *l)
{
	for (size_t i = 0; i < l->leaves.n; i++) {
		struct leaf *leaf = &l->leaves.data[i];
		uint32_t best = 0;

		for (uint32_t r = 1; r < POSITIONS_FIRST_WORD; r++)
			if (leaf->in_range[r] > leaf->in_range[best])
				best = r;
		if ((double)leaf->in_range[best] >= LEAF_SHARE * (double)leaf->frames)
			leaf->slot = best;
	}
}

/* Candidates say one line, or nothing is known. */
struct vote {
	uint32_t line, votes;
	bool divided;
};

static void cast(struct vote *v, uint32_t line)
{
	if (v->votes++ && v->line != line)
		v->divided = true;
	v->line = line;
}

/*
 * Compilers put off the step to the next instruction, so that a value may still be the
 * current one's: whoever knows nothing of the place must take both into account.
 */
static void cast_both(struct vote *v, const struct frame_seen *f, uint32_t i)
{
	uint32_t offset = position__offset(f->o.candidates[i]);

	cast(v, line_before(f, i));
	if (offset < f->code.code->bytecode_bytes)
		cast(v, bytecode__line(f->code, offset));
}

static struct current outcome(const struct vote *v, enum line_basis basis)
{
	if (!v->votes || v->divided || !v->line)
		return (struct current){ 0, LINE_NONE };
	return (struct current){ v->line, (uint8_t)basis };
}

static uint32_t line_of_jump(const struct frame_seen *f, uint32_t i)
{
	uint32_t at;

	if (!bytecode__interrupted(f->code, position__offset(f->o.candidates[i]), &at))
		return 0;
	return bytecode__line(f->code, at);
}

static struct current ask_sure(struct lines *l, const struct frame_seen *f)
{
	struct learner_frame frame = learners(l, f);
	enum line_basis basis = LINE_SURE;
	struct vote v = { 0 };

	for (uint32_t i = 0; i < f->o.n; i++) {
		enum learner_trust trust = learner__trusts(&l->learner, &frame, i);

		if (trust == LEARNER_BEHIND)
			cast(&v, line_before(f, i));
		if (trust == LEARNER_BETWEEN) {
			cast(&v, line_of_jump(f, i));
			basis = LINE_INTERRUPTED;
		}
	}
	return outcome(&v, basis);
}

static struct current ask_agreed(struct lines *l, const struct frame_seen *f)
{
	struct vote v = { 0 };
	bool home = false;

	for (uint32_t i = 0; i < f->o.n; i++) {
		if (f->opcodes[i] == BYTECODE_NONE)
			continue;
		cast_both(&v, f, i);
		home = home ||
		       learner__is_home(&l->learner, f->at.dso, position__slot(f->o.candidates[i]));
	}
	return home ? outcome(&v, LINE_AGREED) : (struct current){ 0, LINE_NONE };
}

static bool is_entering(struct lines *l, struct place at)
{
	const struct image *image = images__get(l->images, &l->machine->dsos, at.dso);
	uint64_t address;

	return !image || !image__address(image, at.address, &address) ||
	       address - functions__start(&l->functions, at) < ENTRY_BYTES;
}

static struct current ask_leaf(struct lines *l, const struct frame_seen *f)
{
	struct vote v = { 0 };
	struct leaf_frame leaf;
	bool sure;

	if (is_entering(l, f->at) || !make_leaf(l, f, &leaf))
		return (struct current){ 0, LINE_NONE };
	sure = learner__sure(&l->learner, f->o.evaluator);
	for (uint32_t i = 0; i < leaf.f.n; i++) {
		bool at_end = i &&
			      position__offset(leaf.candidates[i]) == f->code.code->bytecode_bytes;

		if (sure ? learner__trusts(&l->learner, &leaf.f, i) == LEARNER_BEHIND : !at_end)
			cast(&v, leaf.lines[i]);
	}
	return outcome(&v, LINE_LEAF);
}

static struct current ask(struct lines *l, const struct frame_seen *f)
{
	if (!may_work(l, f->code.code))
		return (struct current){ 0, LINE_NONE };
	if (f->leaf)
		return ask_leaf(l, f);
	return learner__sure(&l->learner, f->o.evaluator) ? ask_sure(l, f) : ask_agreed(l, f);
}

static void count(struct lines_counts *n, const struct frame_seen *f, struct current found)
{
	if (!f->code.code)
		return;
	*(f->leaf ? &n->leaves : &n->callers) += f->o.seen;
	if (found.line)
		*(f->leaf ? &n->given_leaves : &n->given_callers) += f->o.seen;
	n->by_basis[found.basis] += f->o.seen;
}

struct lines *lines__new(const struct store *store, const struct machine *machine,
			 struct images *images, struct python *python)
{
	struct lines *l = mem__alloc(1, sizeof(*l));
	uint32_t n = positions__observed(&store->positions);

	l->store = store;
	l->machine = machine;
	l->images = images;
	l->python = python;
	l->work_left = WORK_BYTES;
	l->counts.samples = store->positions.samples.n;
	l->counts.dropped = store->positions.dropped;
	functions__init(&l->functions, &machine->dsos, images);
	for (uint32_t i = 0; i < n; i++)
		see(l, i);
	decide_leaves(l);
	for (uint32_t i = 0; i < n; i++)
		see_leaf_place(l, i);
	learner__decide(&l->learner);
	for (uint32_t i = 0; i < n; i++) {
		struct current found = { 0, LINE_NONE };
		struct frame_seen f;

		if (look(l, i, &f))
			found = ask(l, &f);
		count(&l->counts, &f, found);
		vec__push(&l->currents, found);
	}
	return l;
}

void lines__free(struct lines *l)
{
	if (!l)
		return;
	functions__release(&l->functions);
	learner__release(&l->learner);
	idmap__release(&l->codes);
	vec__release(&l->leaves);
	vec__release(&l->currents);
	free(l);
}

uint32_t lines__of(const struct lines *l, uint32_t observation)
{
	return l && observation < l->currents.n ? l->currents.data[observation].line : 0;
}

enum line_basis lines__basis(const struct lines *l, uint32_t observation)
{
	if (!l || observation >= l->currents.n)
		return LINE_NONE;
	return (enum line_basis)l->currents.data[observation].basis;
}

struct lines_counts lines__counts(const struct lines *l)
{
	return l->counts;
}
