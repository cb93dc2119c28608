// SPDX-License-Identifier: GPL-2.0
/*
 * The stepper: registers of a frame + the rule for its address + words of the
 * stack copy = registers of its caller.
 *
 *     ip --cache--> rule --CFA--> caller's sp;  [CFA - 8] --> caller's ip
 *
 * Nearly all time goes into finding the rule, so a small direct-mapped cache
 * stands in front: (process, ip) -> rule, valid while the process's mappings are.
 *
 * Every address is hostile.  Memory is the copy and nothing else: what lies
 * behind its end says "truncated", anything else that does not fit says "lost".
 * Progress is certain: but for signal frames, which may change stacks, the stack
 * pointer only moves up; and frames are limited.
 */
#include "perfconv/unwind/unwind.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/unwind/cfi.h"
#include "perfconv/unwind/expression.h"
#include "perfconv/unwind/generated.h"
#include "perfconv/unwind/regs.h"

#define CACHE_SLOTS 8192u

struct cached { /* 32 bytes: two to a cache line */
	uint64_t ip;
	const struct cfi_rule *rule;
	uint32_t process_plus_1; /* 0: the slot is empty */
	uint32_t generation;
	bool mapped; /* an executable mapping holds ip */
	bool file;   /* and it is of an ELF file that was read */
};

struct unwinder {
	const struct regs_arch *arch;
	const struct machine *machine;
	struct images *images;
	struct cfi_tables *tables;
	struct cached cache[CACHE_SLOTS];

	/* the sample in hand */
	const struct regs_arch *task; /* of its task: a 64-bit machine runs 32-bit ones */
	uint32_t process;
	uint32_t generation; /* of its mappings */
	const uint8_t *stack;
	uint64_t stack_start, stack_end; /* addresses of the copy: [start, end) */
	bool read_past_copy;		 /* a word behind the end was asked for */
};

enum step { STEP_DONE, STEP_OUTERMOST, STEP_FAILED };

struct unwinder *unwinder__new(const char *arch, const struct machine *machine,
			       struct images *images)
{
	const struct regs_arch *found = regs_arch__find(arch);
	struct unwinder *u;

	if (!found)
		return NULL;
	u = mem__alloc(1, sizeof(*u));
	u->arch = found;
	u->machine = machine;
	u->images = images;
	u->tables = cfi_tables__new(&machine->dsos, images);
	return u;
}

void unwinder__free(struct unwinder *u)
{
	if (!u)
		return;
	cfi_tables__free(u->tables);
	free(u);
}

static bool read_word(void *arg, uint64_t address, uint64_t *value)
{
	struct unwinder *u = arg;
	size_t n = u->task->word_bytes;
	uint32_t half;

	if (address < u->stack_start)
		return false;
	if (address >= u->stack_end || u->stack_end - address < n) {
		u->read_past_copy = true;
		return false;
	}
	if (n == sizeof(half)) {
		memcpy(&half, u->stack + (address - u->stack_start), sizeof(half));
		*value = half;
	} else {
		memcpy(value, u->stack + (address - u->stack_start), sizeof(*value));
	}
	return true;
}

static void look_up(struct unwinder *u, uint64_t ip, struct cached *out)
{
	const struct map *map = machine__find_map(u->machine, u->process, ip);
	const struct image *image;
	uint64_t address;

	*out = (struct cached){ .ip = ip,
				.process_plus_1 = u->process + 1,
				.generation = u->generation };
	if (!map || !map->executable)
		return;
	out->mapped = true;
	out->rule = generated__rule(u->tables, u->machine, u->process, ip, u->task);
	if (out->rule)
		return;
	image = images__get(u->images, &u->machine->dsos, map->dso);
	out->file = image != NULL;
	if (image && image__address(image, ip - map->start + map->offset, &address))
		out->rule = cfi_tables__rule(u->tables, map->dso, image, u->task, address);
}

static const struct cached *find(struct unwinder *u, uint64_t ip)
{
	struct cached *slot = &u->cache[(ip ^ ip >> 13) % CACHE_SLOTS];

	if (slot->ip != ip || slot->process_plus_1 != u->process + 1 ||
	    slot->generation != u->generation)
		look_up(u, ip, slot);
	return slot;
}

static bool evaluate(struct unwinder *u, const struct regs *regs, uint64_t cfa, int32_t number,
		     uint64_t *value, bool *is_value)
{
	const struct cfi_expression *e = cfi_tables__expression(u->tables, number);
	struct expression_context context = { regs, cfa, read_word, u };

	return expression__evaluate(e->ops, e->n, &context, value, is_value);
}

static bool compute_cfa(struct unwinder *u, const struct cfi_rule *rule, const struct regs *regs,
			uint64_t *cfa)
{
	bool is_value;

	if (rule->cfa_is_expression)
		return evaluate(u, regs, 0, rule->cfa_offset, cfa, &is_value);
	if (!(regs->known >> rule->cfa_register & 1))
		return false;
	*cfa = regs->value[rule->cfa_register] + (uint64_t)(int64_t)rule->cfa_offset;
	if (u->task->word_bytes == 4)
		*cfa &= UINT32_MAX;
	return true;
}

/* A register's value in the caller.  Return: false if it is lost. */
static bool recover(struct unwinder *u, const struct cfi_place *p, const struct regs *regs,
		    uint64_t cfa, uint64_t *value)
{
	uint64_t at = cfa + (uint64_t)(int64_t)p->offset;
	bool is_value;

	switch ((enum cfi_where)p->where) {
	case CFI_AT_CFA:
		/* Below the leaf's stack pointer: its epilogue has popped it already, but
		 * compilers do not say so. */
		if (at < u->stack_start && p->reg != u->task->ip) {
			*value = regs->value[p->reg];
			return regs->known >> p->reg & 1;
		}
		return read_word(u, at, value);
	case CFI_IS_CFA:
		*value = at;
		return true;
	case CFI_REGISTER:
		if ((uint32_t)p->offset >= REGS_MAX || !(regs->known >> p->offset & 1))
			return false;
		*value = regs->value[p->offset];
		return true;
	case CFI_EXPRESSION:
	default:
		return evaluate(u, regs, cfa, p->offset, value, &is_value) &&
		       (is_value || read_word(u, *value, value));
	}
}

static void set(struct regs *regs, size_t i, uint64_t value)
{
	regs->value[i] = value;
	regs->known |= 1ull << i;
}

/* All registers of the caller that can be had. */
static void recover_all(struct unwinder *u, const struct cfi_rule *rule, const struct regs *regs,
			uint64_t cfa, struct regs *caller)
{
	*caller = *regs;
	caller->known &= rule->same;
	for (size_t i = 0; i < rule->places_n; i++) {
		const struct cfi_place *p = &rule->places[i];
		uint64_t value;

		if (recover(u, p, regs, cfa, &value))
			set(caller, p->reg, value);
	}
	if (!(caller->known >> u->task->sp & 1))
		set(caller, u->task->sp, cfa);
}

/*
 * A plain rule whose words all lie in the copy: the caller's registers take the
 * place of the callee's.  Return: false, with nothing changed, if some do not.
 */
static bool recover_plainly(const struct unwinder *u, const struct cfi_rule *rule, uint64_t cfa,
			    struct regs *regs)
{
	uint64_t low = cfa + (uint64_t)(int64_t)rule->lowest;
	const uint8_t *top;

	if (!rule->plain || low < u->stack_start || low > cfa || cfa > u->stack_end)
		return false;
	top = u->stack + (cfa - u->stack_start);
	for (size_t i = 0; i < rule->places_n; i++)
		memcpy(&regs->value[rule->places[i].reg], top + rule->places[i].offset,
		       sizeof(uint64_t));
	regs->value[u->task->sp] = cfa;
	regs->known = (regs->known & rule->same) | rule->saved;
	return true;
}

static enum step step_by_rule(struct unwinder *u, const struct cfi_rule *rule, struct regs *regs,
			      bool leaf, uint64_t *cfa)
{
	const struct regs_arch *arch = u->task;
	struct regs caller;
	uint64_t ip;

	if (!compute_cfa(u, rule, regs, cfa))
		return STEP_FAILED;
	if (rule->outermost)
		return STEP_OUTERMOST;
	/* Only a leaf without a frame of its own leaves the stack pointer where it was. */
	if (!rule->signal && *cfa <= regs->value[arch->sp] &&
	    !(leaf && *cfa == regs->value[arch->sp]))
		return STEP_FAILED;
	if (!recover_plainly(u, rule, *cfa, regs)) {
		recover_all(u, rule, regs, *cfa, &caller);
		*regs = caller;
	}
	if (!(regs->known >> rule->return_register & 1))
		return STEP_FAILED;
	ip = regs->value[rule->return_register] & arch->address_mask;
	set(regs, arch->ip, ip);
	return ip ? STEP_DONE : STEP_OUTERMOST;
}

/*
 * Code without CFI: it may keep frame pointers.  Believed only where it leads on.
 * The loader's first code, which has none, marks itself by a frame pointer of 0.
 */
static enum step step_by_frame_pointer(struct unwinder *u, struct regs *regs, bool file,
				       uint64_t *cfa)
{
	const struct regs_arch *arch = u->task;
	uint64_t fp = regs->value[arch->fp], saved, ip;

	if (file && !fp && (regs->known >> arch->fp & 1))
		return STEP_OUTERMOST;
	if (!(regs->known >> arch->fp & 1) || fp < regs->value[arch->sp] || fp % arch->word_bytes ||
	    !read_word(u, fp, &saved) || !read_word(u, fp + arch->word_bytes, &ip))
		return STEP_FAILED;
	ip &= arch->address_mask;
	if (!find(u, ip - 1)->mapped)
		return STEP_FAILED;
	*cfa = fp + 2 * arch->word_bytes;
	regs->known = 0;
	set(regs, arch->fp, saved);
	set(regs, arch->sp, *cfa);
	set(regs, arch->ip, ip);
	return STEP_DONE;
}

static enum step step(struct unwinder *u, struct regs *regs, struct unwind_frame *frame, bool leaf,
		      bool *interrupted)
{
	const struct cached *c = find(u, frame->ip - frame->return_address);
	enum step result;

	u->read_past_copy = false;
	*interrupted = c->rule && c->rule->signal;
	if (c->rule)
		return step_by_rule(u, c->rule, regs, leaf, &frame->cfa);
	result = step_by_frame_pointer(u, regs, c->file, &frame->cfa);
	u->read_past_copy = false; /* where it pointed is a guess: a longer copy may not help */
	return result;
}

static void enter_frame(const struct unwinder *u, const struct regs *regs, bool return_address,
			struct unwind_frame *f)
{
	uint64_t left = u->task->preserved;
	unsigned int known = 0;

	f->ip = regs->value[u->task->ip];
	f->sp = regs->value[u->task->sp];
	f->cfa = 0;
	f->return_address = return_address;
	for (size_t i = 0; left; i++, left &= left - 1) {
		int number = __builtin_ctzll(left);

		f->preserved[i] = regs->value[number];
		known |= (unsigned int)(regs->known >> number & 1) << i;
	}
	f->known = (uint16_t)known;
}

static void start(struct unwinder *u, uint32_t process, const struct record_sample *sample,
		  uint64_t sp)
{
	u->process = process;
	u->generation = machine__maps_generation(u->machine, process);
	u->stack = sample->stack;
	u->stack_start = sp;
	u->stack_end = sp + sample->stack_bytes;
	if (u->stack_end < u->stack_start)
		u->stack_end = u->stack_start;
}

void unwinder__unwind(struct unwinder *u, uint32_t process, const struct record_sample *sample,
		      struct unwind_stack *out)
{
	enum step result = STEP_DONE;
	bool interrupted = true; /* the sampled ip is where it was, no return address */
	struct regs regs;

	out->n = 0;
	out->ending = STACK_LOST;
	out->preserved_n = 0;
	u->task = regs_arch__of_task(u->arch, sample->user_abi);
	if (!u->task || !sample->user_regs ||
	    !regs__from_sample(u->task, sample->user_regs_mask, sample->user_regs, &regs))
		return;
	out->preserved_n = (size_t)__builtin_popcountll(u->task->preserved);
	start(u, process, sample, regs.value[u->task->sp]);
	while (result == STEP_DONE && out->n < UNWIND_MAX_FRAMES) {
		struct unwind_frame *f = &out->frames[out->n++];

		enter_frame(u, &regs, !interrupted, f);
		result = step(u, &regs, f, out->n == 1, &interrupted);
	}
	if (result == STEP_OUTERMOST)
		out->ending = STACK_COMPLETE;
	else if (result == STEP_FAILED && u->read_past_copy)
		out->ending = STACK_TRUNCATED;
}

bool unwinder__leaf_caller(struct unwinder *u, uint32_t process, const struct record_sample *sample,
			   uint64_t ip, uint64_t *caller)
{
	const struct cfi_rule *rule;
	struct regs regs;
	uint64_t ra;

	u->task = regs_arch__of_task(u->arch, sample->user_abi);
	if (!u->task || !sample->user_regs)
		return false;
	(void)regs__from_sample(u->task, sample->user_regs_mask, sample->user_regs, &regs);
	start(u, process, sample, 0);
	rule = find(u, ip)->rule;
	if (!rule || rule->signal || rule->outermost || rule->return_register == u->task->ip ||
	    !(regs.known & rule->same & 1ull << rule->return_register))
		return false;
	ra = regs.value[rule->return_register] & u->task->address_mask;
	if (!ra || !find(u, ra - 1)->mapped)
		return false;
	*caller = ra;
	return true;
}
