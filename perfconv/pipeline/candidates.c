// SPDX-License-Identifier: GPL-2.0
/*
 * The pointer to the next instruction may stand behind the last one (of a function
 * that ends in "raise"), so a range includes its end.  It is never at the start while
 * an instruction runs; what points there is the start that the evaluator keeps.
 */
#include "perfconv/pipeline/candidates.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_FRAME_BYTES 64u /* the registers it saves, and the return address */
#define MAX_WORDS (POSITIONS_SLOTS - POSITIONS_FIRST_WORD)

/* A frame of the sample at hand. */
struct look {
	const struct record_sample *sample;
	const struct regs_arch *task;
	uint64_t stack_start;
	struct candidates_range range;
	position_candidate found[POSITIONS_MAX_CANDIDATES];
	uint32_t n;
};

void candidates__init(struct candidates *c, const char *arch, const struct machine *machine,
		      struct sidefiles *sidefiles, struct store *store)
{
	memset(c, 0, sizeof(*c));
	c->machine = machine;
	c->sidefiles = sidefiles;
	c->arch = regs_arch__find(arch);
	c->store = store;
}

void candidates__release(struct candidates *c)
{
	vec__release(&c->ranges);
}

static bool is_trampoline(const struct candidates *c, uint32_t location)
{
	uint32_t dso = store__get_location(c->store, location).place.dso;

	return dsos__get(&c->machine->dsos, dso)->kind == DSO_TRAMPOLINE;
}

static struct candidates_range look_up(struct candidates *c, uint32_t location)
{
	struct store_location l = store__get_location(c->store, location);
	const struct dso *dso = dsos__get(&c->machine->dsos, l.place.dso);
	const struct sidefile_code *code =
		sidefiles__code(c->sidefiles, dso, l.place.address - l.return_address);
	struct candidates_range out = { .looked = code || !c->sidefiles->live };

	if (code && !code->task && code->bytecode_bytes &&
	    code->bytecode_bytes <= POSITIONS_MAX_OFFSET &&
	    code->bytecode_addr <= UINT64_MAX - code->bytecode_bytes) {
		out.start = code->bytecode_addr;
		out.end = code->bytecode_addr + code->bytecode_bytes;
	}
	return out;
}

static struct candidates_range range_of(struct candidates *c, uint32_t location)
{
	while (c->ranges.n <= location)
		(void)vec__add(&c->ranges);
	if (!c->ranges.data[location].looked)
		c->ranges.data[location] = look_up(c, location);
	return c->ranges.data[location];
}

static void consider(struct look *look, uint32_t slot, uint64_t value)
{
	if (value <= look->range.start || value > look->range.end ||
	    look->n == POSITIONS_MAX_CANDIDATES)
		return;
	look->found[look->n++] = position__candidate(slot, (uint32_t)(value - look->range.start));
}

/* All registers of the innermost frame, of others what functions preserve. */
static void look_at_registers(struct look *look, const struct unwind_frame *f, bool innermost)
{
	uint64_t left = look->task->preserved;
	struct regs regs = { 0 };

	if (innermost)
		(void)regs__from_sample(look->task, look->sample->user_regs_mask,
					look->sample->user_regs, &regs);
	for (size_t i = 0; !innermost && left; i++, left &= left - 1) {
		int number = __builtin_ctzll(left);

		regs.value[number] = f->preserved[i];
		regs.known |= (uint64_t)(f->known >> i & 1) << number;
	}
	for (uint32_t i = 0; i < look->task->n; i++)
		if (regs.known >> i & 1)
			consider(look, i, regs.value[i]);
}

static void look_at_words(struct look *look, const struct unwind_frame *f)
{
	uint64_t at = f->cfa - 8;

	for (uint32_t i = 0; i < MAX_WORDS && at >= f->sp && at < f->cfa; i++, at -= 8) {
		uint64_t from = at - look->stack_start, value;

		if (from >= look->sample->stack_bytes || look->sample->stack_bytes - from < 8)
			continue;
		memcpy(&value, look->sample->stack + from, sizeof(value));
		consider(look, POSITIONS_FIRST_WORD + i, value);
	}
}

/* While it is being built or taken down, registers are still, or again, its caller's. */
static bool has_frame(const struct unwind_frame *f)
{
	return f->cfa - f->sp > LEAST_FRAME_BYTES;
}

/* Frame @i is a trampoline: its callee is the evaluator, unless it calls another one. */
static uint32_t push(struct candidates *c, struct look *look, const struct unwind_stack *stack,
		     const uint32_t *locations, size_t i, uint32_t caller)
{
	struct observation o = { .evaluator = locations[i], .trampoline = locations[i] };

	look->n = 0;
	if (i && !is_trampoline(c, locations[i - 1]) && has_frame(&stack->frames[i - 1])) {
		o.evaluator = locations[i - 1];
		o.innermost = i == 1;
		look->range = range_of(c, locations[i]);
		if (look->range.end) {
			look_at_registers(look, &stack->frames[i - 1], o.innermost);
			look_at_words(look, &stack->frames[i - 1]);
		}
	}
	o.n = look->n;
	o.candidates = look->found;
	return positions__push(&c->store->positions, caller, &o);
}

uint32_t candidates__collect(struct candidates *c, const struct record_sample *s,
			     const struct unwind_stack *stack, const uint32_t *locations)
{
	struct look look = { .sample = s };
	uint32_t node = POSITIONS_NONE;

	look.task = c->arch ? regs_arch__of_task(c->arch, s->user_abi) : NULL;
	if (!look.task || look.task->word_bytes != 8 || !stack->n)
		return POSITIONS_NONE;
	look.stack_start = stack->frames[0].sp;
	for (size_t i = stack->n; i-- > 0;) {
		if (!is_trampoline(c, locations[i]))
			continue;
		node = push(c, &look, stack, locations, i, node);
		if (node == POSITIONS_NONE) {
			c->store->positions.dropped++;
			break;
		}
	}
	return node;
}
