// SPDX-License-Identifier: GPL-2.0
#include "perfconv/pipeline/collect.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/store/activation.h"
#include "perfconv/unwind/callchain.h"

void collector__init(struct collector *c, const char *arch, const struct machine *machine,
		     struct images *images, struct sidefiles *sidefiles, struct store *store)
{
	memset(c, 0, sizeof(*c));
	c->machine = machine;
	c->store = store;
	c->unwinder = unwinder__new(arch, machine, images);
	c->unwound = mem__alloc(1, sizeof(*c->unwound));
	candidates__init(&c->candidates, arch, machine, sidefiles, store);
}

void collector__release(struct collector *c)
{
	unwinder__free(c->unwinder);
	free(c->unwound);
	candidates__release(&c->candidates);
	vec__release(&c->leaf_first);
}

static void add(struct collector *c, struct place place, bool return_address)
{
	vec__push(&c->leaf_first, store__location(c->store, place, return_address));
}

static void add_user(struct collector *c, uint32_t process, uint64_t ip, bool return_address)
{
	add(c, machine__user_place(c->machine, process, ip), return_address);
}

/*
 * A leaf function has no frame of its own that frame pointers lead to: the chain
 * goes on with its caller's caller, unless the machine keeps return addresses in a
 * register that was recorded.
 */
static void add_leaf_caller(struct collector *c, uint32_t process, const struct record *rec,
			    uint64_t leaf, uint64_t next)
{
	uint64_t caller;

	if (!c->unwinder ||
	    !unwinder__leaf_caller(c->unwinder, process, &rec->sample, leaf, &caller) ||
	    caller == next)
		return;
	add_user(c, process, caller, true);
	c->leaf_callers++;
}

/* The kernel's part of the chain, and with @user the user's.  Return: entries of the user's. */
static size_t add_callchain(struct collector *c, uint32_t process, struct callchain *chain,
			    const struct record *rec, bool user)
{
	struct callchain_entry e;
	uint64_t leaf = 0;
	size_t n = 0;

	while (callchain__next(chain, &e)) {
		if (e.space == CALLCHAIN_KERNEL)
			add(c, machine__kernel_place(e.ip), e.return_address);
		if (e.space != CALLCHAIN_USER || !user)
			continue;
		if (n == 1)
			add_leaf_caller(c, process, rec, leaf, e.ip);
		add_user(c, process, e.ip, e.return_address);
		leaf = e.ip;
		n++;
	}
	if (n == 1)
		add_leaf_caller(c, process, rec, leaf, 0);
	return n;
}

/* In call-stack mode each branch is a call that has not yet returned, newest first. */
static void add_branches(struct collector *c, uint32_t process, const struct record *rec)
{
	const struct record_sample *s = &rec->sample;
	bool in_user = (rec->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_USER;

	add_user(c, process, in_user ? s->ip : s->branches[0].to, false);
	for (size_t i = 0; i < s->branches_n; i++)
		add_user(c, process, s->branches[i].from, false);
}

static void add_ip(struct collector *c, uint32_t process, const struct record *rec)
{
	uint64_t ip = rec->sample.ip;

	switch (rec->misc & PERF_RECORD_MISC_CPUMODE_MASK) {
	case PERF_RECORD_MISC_KERNEL:
		add(c, machine__kernel_place(ip), false);
		break;
	case PERF_RECORD_MISC_HYPERVISOR:
		add(c, (struct place){ DSO_ID_HYPERVISOR, ip }, false);
		break;
	case PERF_RECORD_MISC_GUEST_KERNEL:
	case PERF_RECORD_MISC_GUEST_USER:
		add(c, (struct place){ DSO_ID_GUEST, ip }, false);
		break;
	default:
		add_user(c, process, ip, false);
		break;
	}
}

/* What frame @i of the stack just unwound holds: registers, then words from its stack
 * pointer up, as far as they are its own and were dumped. */
static struct evidence held_by(const struct collector *c, const struct record_sample *s, size_t i)
{
	const struct unwind_frame *f = &c->unwound->frames[i];
	uint64_t from = f->sp - c->unwound->frames[0].sp;
	struct evidence e = { .known = f->known };
	size_t n = c->unwound->preserved_n;

	for (size_t k = 0; k < n; k++)
		e.slot[k] = f->known >> k & 1 ? f->preserved[k] : 0;
	for (size_t k = 0; k < EVIDENCE_WORDS && n < EVIDENCE_SLOTS; k++, n++) {
		uint64_t at = from + 8 * k;

		if (at >= s->stack_bytes || s->stack_bytes - at < 8 || f->sp + 8 * k >= f->cfa)
			break;
		memcpy(&e.slot[n], s->stack + at, sizeof(*e.slot));
		e.known = (uint16_t)(e.known | 1u << n);
	}
	return e;
}

/* The activations of what was just unwound, whose locations were gathered last. */
static void push_activations(struct collector *c, const struct record_sample *s,
			     struct collected *out)
{
	const struct unwind_stack *stack = c->unwound;
	size_t before = c->leaf_first.n - stack->n;

	for (size_t i = stack->n; i-- > 0;) {
		out->activation = store__activation(c->store, out->activation,
						    c->leaf_first.data[before + i],
						    stack->frames[i].cfa);
		if (stack->ending == STACK_COMPLETE && i + 1 < stack->n) {
			struct evidence e = held_by(c, s, i);

			evidence_table__saw(&c->store->evidence, out->activation, &e);
		}
	}
	out->cut = stack->ending == STACK_TRUNCATED && stack->n;
	if (out->cut)
		out->held = held_by(c, s, stack->n - 1);
}

static void add_unwound(struct collector *c, uint32_t process, const struct record *rec,
			struct collected *out)
{
	const struct unwind_stack *stack = c->unwound;

	out->ending = STACK_LOST;
	if (!c->unwinder)
		return;
	unwinder__unwind(c->unwinder, process, &rec->sample, c->unwound);
	for (size_t i = 0; i < stack->n; i++)
		add_user(c, process, stack->frames[i].ip, stack->frames[i].return_address);
	c->frames_capped += stack->n == UNWIND_MAX_FRAMES;
	out->ending = stack->ending;
	push_activations(c, &rec->sample, out);
	out->positions = candidates__collect(&c->candidates, &rec->sample, stack,
					     c->leaf_first.data + c->leaf_first.n - stack->n);
}

/* What was gathered, under @callers. */
static uint32_t push_all(struct collector *c, uint32_t callers)
{
	uint32_t stack = callers;

	for (size_t i = c->leaf_first.n; i-- > 0;)
		stack = store__push(c->store, stack, c->leaf_first.data[i]);
	return stack;
}

struct collected collector__sample(struct collector *c, const struct perfdata_event *event,
				   uint32_t process, const struct record *rec)
{
	bool dumped = event->sample_type & PERF_SAMPLE_STACK_USER;
	bool call_stack = event->branch_sample_type & PERF_SAMPLE_BRANCH_CALL_STACK;
	struct collected out = { .ending = STACK_CHAIN,
				 .activation = STORE_NO_ACTIVATION,
				 .positions = POSITIONS_NONE };
	struct callchain chain;
	size_t user;

	c->leaf_first.n = 0;
	callchain__init(&chain, rec->sample.callchain, rec->sample.callchain_n, rec->misc);
	user = add_callchain(c, process, &chain, rec, !dumped);
	/* A kernel thread has no user registers: its chain is all there is. */
	if (dumped && rec->sample.user_abi)
		add_unwound(c, process, rec, &out);
	else if (!dumped && !user && call_stack && rec->sample.branches_n)
		add_branches(c, process, rec);
	if (!c->leaf_first.n)
		add_ip(c, process, rec);
	out.deferred = chain.deferred && !dumped;
	out.cookie = chain.cookie;
	out.stack = push_all(c, STORE_NO_STACK);
	return out;
}

static bool is_kernels(const struct collector *c, uint32_t stack)
{
	return store__get_location(c->store, store__leaf(c->store, stack)).place.dso ==
	       DSO_ID_KERNEL;
}

uint32_t collector__prepend(struct collector *c, uint32_t process, const uint64_t *ips, size_t n,
			    uint32_t stack)
{
	const struct record bare = { 0 }; /* the sample's registers are not of this moment */
	struct callchain chain;
	uint32_t callers;

	c->leaf_first.n = 0;
	callchain__init(&chain, ips, n, PERF_RECORD_MISC_USER);
	add_callchain(c, process, &chain, &bare, true);
	callers = push_all(c, STORE_NO_STACK);
	c->leaf_first.n = 0;
	if (stack != STORE_NO_STACK && !is_kernels(c, stack))
		return callers; /* its only frame was the sample's address, which the chain has */
	for (; stack != STORE_NO_STACK; stack = store__parent(c->store, stack))
		vec__push(&c->leaf_first, store__leaf(c->store, stack));
	return push_all(c, callers);
}
