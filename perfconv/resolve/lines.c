// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/lines.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/resolve/bytecode.h"
#include "perfconv/resolve/learner.h"
#include "perfconv/unwind/functions.h"

/* A side file may be anybody's: bytes of code and tables that are looked through. */
#define WORK_BYTES ((uint64_t)2 << 30)
#define ENTRY_BYTES 256u /* at its start the evaluator does not yet have a position */
#define LEAF_SHARE 0.75	 /* of innermost frames that have the register in range */

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
	uint64_t work_left;
};

/* An observation with what the side file says of its function. */
struct frame_seen {
	struct observation o;
	struct place at; /* of the evaluator; the call, if it is a return address */
	struct bytecode code;
	uint8_t opcodes[POSITIONS_MAX_CANDIDATES];
	bool leaf; /* no call is under way */
};

static bool look(struct lines *l, uint32_t id, struct frame_seen *out)
{
	struct observation o = positions__get(&l->store->positions, id);
	struct store_location t = store__get_location(l->store, o.trampoline);
	struct store_location e = store__get_location(l->store, o.evaluator);

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
	frame = (struct learner_frame){
		.place = f.o.evaluator,
		.object = f.at.dso,
		.code = number_of(l, f.code.code),
		.n = f.o.n,
		.candidates = f.o.candidates,
		.opcodes = f.opcodes,
	};
	learner__see(&l->learner, &frame);
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

static uint32_t line_before(const struct frame_seen *f, uint32_t i)
{
	uint32_t at;

	if (bytecode__before(f->code, position__offset(f->o.candidates[i]), &at) == BYTECODE_NONE)
		return 0;
	return bytecode__line(f->code, at);
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

static struct current outcome(const struct vote *v, enum line_basis basis)
{
	if (!v->votes || v->divided || !v->line)
		return (struct current){ 0, LINE_NONE };
	return (struct current){ v->line, (uint8_t)basis };
}

static struct current ask_sure(struct lines *l, const struct frame_seen *f)
{
	struct vote v = { 0 };

	for (uint32_t i = 0; i < f->o.n; i++)
		if (learner__trusts(&l->learner, f->o.evaluator, position__slot(f->o.candidates[i]),
				    f->opcodes[i]))
			cast(&v, line_before(f, i));
	return outcome(&v, LINE_SURE);
}

static struct current ask_agreed(struct lines *l, const struct frame_seen *f)
{
	struct vote v = { 0 };
	bool home = false;

	for (uint32_t i = 0; i < f->o.n; i++) {
		if (f->opcodes[i] == BYTECODE_NONE)
			continue;
		cast(&v, line_before(f, i));
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
	uint32_t slot = leaf_of(l, f->at.dso)->slot;
	struct vote v = { 0 };

	if (is_entering(l, f->at))
		return (struct current){ 0, LINE_NONE };
	for (uint32_t i = 0; i < f->o.n; i++) {
		uint32_t offset = position__offset(f->o.candidates[i]);

		if (position__slot(f->o.candidates[i]) != slot)
			continue;
		cast(&v, line_before(f, i));
		if (offset < f->code.code->bytecode_bytes)
			cast(&v, bytecode__line(f->code, offset));
	}
	return outcome(&v, LINE_LEAF);
}

static struct current ask(struct lines *l, uint32_t id)
{
	struct frame_seen f;
	uint64_t work;

	if (!look(l, id, &f))
		return (struct current){ 0, LINE_NONE };
	work = (uint64_t)f.code.code->line_table_bytes * (f.o.n + 1);
	if (work > l->work_left)
		return (struct current){ 0, LINE_NONE };
	l->work_left -= work;
	if (f.leaf)
		return ask_leaf(l, &f);
	return learner__sure(&l->learner, f.o.evaluator) ? ask_sure(l, &f) : ask_agreed(l, &f);
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
	functions__init(&l->functions, &machine->dsos, images);
	for (uint32_t i = 0; i < n; i++)
		see(l, i);
	learner__decide(&l->learner);
	decide_leaves(l);
	for (uint32_t i = 0; i < n; i++) {
		struct current found = ask(l, i);

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
	return l->currents.data[observation].line;
}

enum line_basis lines__basis(const struct lines *l, uint32_t observation)
{
	return (enum line_basis)l->currents.data[observation].basis;
}
