// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/likeness.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/unwind/regs_key.h"

#define NOT_YET (POSITIONS_NONE - 1)
#define FEW_SWITCHES 4u /* from so many on, one can tell that a value does not repeat */
#define MANY_VALUES 3u	/* so many in dumps of one stack: a register says nothing of it */

uint32_t likeness__user_stack(const struct store *store, uint32_t stack)
{
	while (stack != STORE_NO_STACK &&
	       store__get_location(store, store__leaf(store, stack)).place.dso == DSO_ID_KERNEL)
		stack = store__parent(store, stack);
	return stack;
}

static bool is_cut(const struct store_sample *s)
{
	return s->ending == STACK_TRUNCATED || s->ending == STACK_LOST;
}

static unsigned int registers(const struct likeness *l)
{
	unsigned int n = l->switches->registers;

	return n < LIKENESS_MAX_REGISTERS ? n : LIKENESS_MAX_REGISTERS;
}

/* Of a user stack whose innermost address is where the thread stands. */
static uint32_t group_of(struct likeness *l, uint32_t thread, uint32_t stack, const uint64_t *words)
{
	uint32_t user = likeness__user_stack(l->store, stack), ip, group;

	if (user == STORE_NO_STACK)
		return LIKENESS_NONE;
	ip = store__leaf(l->store, user);
	group = idmap__intern(&l->groups, (uint64_t)thread << 32 | ip, regs_key__sp(words));
	if (group == l->group_list.n)
		(void)vec__add(&l->group_list);
	return group;
}

static void count_values(struct likeness *l, uint32_t group, const uint64_t *words)
{
	struct likeness_group *g = &l->group_list.data[group];

	for (unsigned int i = 0; i < registers(l); i++) {
		uint64_t of = (uint64_t)group << 8 | i;
		size_t before = l->values.n;

		(void)idmap__intern(&l->values, of,
				    regs_key__digest(words, i, l->switches->registers));
		g->values[i] += l->values.n != before;
	}
}

static bool is_out(const struct store_switch *row)
{
	return switch__kind(row) <= SWITCH_PREEMPTED;
}

/* The group of a place that was not met before.  Return: LIKENESS_NONE if it is in none. */
static uint32_t add_place(struct likeness *l, uint32_t thread, uint32_t place)
{
	struct switch_place p = switches__get_place(l->switches, place);
	uint64_t words[2];
	uint32_t group;

	if (p.regs == SWITCH_NO_REGS)
		return LIKENESS_NONE;
	switches__get_regs(l->switches, p.regs, words);
	group = group_of(l, thread, p.stack, words);
	if (group == LIKENESS_NONE)
		return LIKENESS_NONE;
	(void)idmap__intern(&l->refs, thread, place);
	vec__push(&l->group_of, group);
	count_values(l, group, words);
	return group;
}

/* Every switch counts in its group; a place met again adds no new value. */
static void count_switch(struct likeness *l, uint32_t thread, const struct store_switch *row)
{
	uint32_t place = switch__place(row), ref, group;

	if (!is_out(row) || place == SWITCH_NO_PLACE)
		return;
	ref = idmap__find(&l->refs, thread, place);
	group = ref == IDMAP_NONE ? add_place(l, thread, place) : l->group_of.data[ref];
	if (group != LIKENESS_NONE)
		l->group_list.data[group].switches++;
}

static void count_switches(struct likeness *l)
{
	const struct switches *s = l->switches;

	for (uint32_t thread = 0; thread < s->ends.n; thread++)
		for (const struct store_switch *row = switches__first(s, thread); row;
		     row = switches__next(s, row))
			count_switch(l, thread, row);
}

static void ignore_what_never_repeats(struct likeness *l)
{
	for (size_t k = 0; k < l->group_list.n; k++) {
		struct likeness_group *g = &l->group_list.data[k];

		for (unsigned int i = 0; i < registers(l); i++)
			if (g->switches >= FEW_SWITCHES && g->values[i] > g->switches / 2)
				g->ignored |= 1u << i;
	}
}

/* The values that registers have in dumps of one group and one stack. */
struct variety {
	struct idmap of;      /* (group and register, stack) */
	struct idmap values;  /* (id in the one above, digest) */
	VEC(uint32_t) counts; /* by id: different values */
};

static void count_variety(struct likeness *l, struct variety *v, uint32_t group, uint32_t shown,
			  const uint64_t *words)
{
	for (unsigned int i = 0; i < registers(l); i++) {
		uint32_t digest = regs_key__digest(words, i, l->switches->registers);
		uint32_t id = idmap__intern(&v->of, (uint64_t)group << 8 | i, shown);
		size_t before = v->values.n;

		if (id == v->counts.n)
			vec__push(&v->counts, 0);
		(void)idmap__intern(&v->values, id, digest);
		v->counts.data[id] += v->values.n != before;
		if (v->counts.data[id] >= MANY_VALUES)
			l->group_list.data[group].ignored |= 1u << i;
	}
}

static uint32_t shown_stack(const struct likeness *l, const struct store_sample *s)
{
	return resolver__stack(l->resolver, likeness__user_stack(l->store, s->stack), is_cut(s));
}

/* Where and how a dump was taken.  Return: its group, or LIKENESS_NONE. */
static uint32_t look_at(struct likeness *l, const struct switch_dump *d, uint64_t *words)
{
	const struct store_sample *s = &l->store->samples.data[d->sample];

	if (d->regs == SWITCH_NO_REGS)
		return LIKENESS_NONE;
	switches__get_regs(l->switches, d->regs, words);
	return group_of(l, s->thread, s->stack, words);
}

static void ignore_what_varies(struct likeness *l)
{
	struct variety v = { 0 };

	for (size_t i = 0; i < l->switches->dumps.n; i++) {
		const struct switch_dump *d = &l->switches->dumps.data[i];
		const struct store_sample *s = &l->store->samples.data[d->sample];
		uint64_t words[2];
		uint32_t group = look_at(l, d, words);

		if (group != LIKENESS_NONE && !is_cut(s))
			count_variety(l, &v, group, shown_stack(l, s), words);
	}
	idmap__release(&v.of);
	idmap__release(&v.values);
	vec__release(&v.counts);
}

static uint32_t key_of(struct likeness *l, uint32_t group, uint64_t *words)
{
	for (unsigned int i = 0; i < registers(l); i++)
		if (l->group_list.data[group].ignored >> i & 1)
			regs_key__without(words, i, l->switches->registers);
	return idmap__intern(&l->keys, words[0],
			     (uint64_t)group << 16 | words[1] >> REGS_KEY_SP_BITS);
}

static void key_places(struct likeness *l)
{
	for (size_t i = 0; i < l->refs.n; i++) {
		uint32_t place = (uint32_t)l->refs.keys[i].b;
		uint64_t words[2];

		switches__get_regs(l->switches, switches__get_place(l->switches, place).regs,
				   words);
		vec__push(&l->key_of, key_of(l, l->group_of.data[i], words));
	}
}

static int by_key_and_time(const void *a, const void *b)
{
	const struct likeness_dump *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->sample < y->sample ? -1 : x->sample > y->sample;
}

static void add_dump(struct likeness *l, const struct switch_dump *d)
{
	const struct store_sample *s = &l->store->samples.data[d->sample];
	struct likeness_dump dump = { .time_ns = s->time_ns, .sample = d->sample };
	uint64_t words[2];
	uint32_t group = look_at(l, d, words);

	if (group == LIKENESS_NONE)
		return;
	dump.key = key_of(l, group, words);
	dump.shown = shown_stack(l, s);
	vec__push(&l->dumps, dump);
	vec__push(&l->owns, ((struct likeness_own){ s->thread, d->sample, s->time_ns }));
}

static int by_thread_and_time(const void *a, const void *b)
{
	const struct likeness_own *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->sample < y->sample ? -1 : x->sample > y->sample;
}

/* Where a key has whole stacks, its cut ones are not needed. */
static void prefer_whole(struct likeness *l)
{
	bool *whole = mem__alloc(l->keys.n, sizeof(*whole));
	size_t n = 0;

	for (size_t i = 0; i < l->dumps.n; i++)
		if (!is_cut(&l->store->samples.data[l->dumps.data[i].sample]))
			whole[l->dumps.data[i].key] = true;
	for (size_t i = 0; i < l->dumps.n; i++) {
		struct likeness_dump d = l->dumps.data[i];

		if (!whole[d.key] || !is_cut(&l->store->samples.data[d.sample]))
			l->dumps.data[n++] = d;
	}
	l->dumps.n = n;
	free(whole);
}

static void find_ambiguous(struct likeness *l)
{
	while (l->doubted.n < l->keys.n)
		vec__push(&l->doubted, false);
	for (size_t i = 1; i < l->dumps.n; i++) {
		const struct likeness_dump *a = &l->dumps.data[i - 1], *b = &l->dumps.data[i];

		if (a->key == b->key && a->shown != b->shown)
			l->doubted.data[a->key] = true;
	}
}

void likeness__init(struct likeness *l, const struct store *store, const struct switches *switches,
		    struct resolver *resolver)
{
	memset(l, 0, sizeof(*l));
	l->store = store;
	l->switches = switches;
	l->resolver = resolver;
	count_switches(l);
	ignore_what_never_repeats(l);
	ignore_what_varies(l);
	key_places(l);
	for (size_t i = 0; i < switches->dumps.n; i++)
		add_dump(l, &switches->dumps.data[i]);
	if (l->dumps.n)
		qsort(l->dumps.data, l->dumps.n, sizeof(*l->dumps.data), by_key_and_time);
	if (l->owns.n)
		qsort(l->owns.data, l->owns.n, sizeof(*l->owns.data), by_thread_and_time);
	prefer_whole(l);
	find_ambiguous(l);
}

void likeness__release(struct likeness *l)
{
	idmap__release(&l->groups);
	vec__release(&l->group_list);
	idmap__release(&l->values);
	idmap__release(&l->keys);
	vec__release(&l->doubted);
	idmap__release(&l->refs);
	vec__release(&l->group_of);
	vec__release(&l->key_of);
	vec__release(&l->dumps);
	vec__release(&l->owns);
	idmap__release(&l->matches);
	vec__release(&l->match);
	vec__release(&l->agreed);
}

void likeness__refute(struct likeness *l, uint32_t thread, uint32_t place)
{
	uint32_t ref = idmap__find(&l->refs, thread, place);

	if (ref != IDMAP_NONE)
		l->doubted.data[l->key_of.data[ref]] = true;
}

/* The dump of a switch itself: a whole one, if there is one.  Or LIKENESS_NONE. */
static uint32_t own_dump(const struct likeness *l, uint32_t thread, uint64_t out_ns,
			 uint64_t back_ns)
{
	size_t low = 0, high = l->owns.n;
	uint32_t sample = LIKENESS_NONE;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct likeness_own *o = &l->owns.data[mid];

		if (o->thread < thread || (o->thread == thread && o->time_ns < out_ns))
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < l->owns.n && l->owns.data[low].thread == thread &&
	       l->owns.data[low].time_ns <= back_ns;
	     low++) {
		sample = l->owns.data[low].sample;
		if (!is_cut(&l->store->samples.data[sample]))
			break;
	}
	return sample;
}

/* The first dump of @key at @time_ns or later. */
static size_t find_dump(const struct likeness *l, uint32_t key, uint64_t time_ns)
{
	struct likeness_dump wanted = { .key = key, .time_ns = time_ns };
	size_t low = 0, high = l->dumps.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (by_key_and_time(&l->dumps.data[mid], &wanted) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct likeness_dump *dump_of_key(const struct likeness *l, size_t at, uint32_t key)
{
	return at < l->dumps.n && l->dumps.data[at].key == key ? &l->dumps.data[at] : NULL;
}

static uint32_t nearest(const struct likeness *l, uint32_t key, uint64_t out_ns)
{
	size_t at = find_dump(l, key, out_ns);
	const struct likeness_dump *after = dump_of_key(l, at, key);
	const struct likeness_dump *before = at ? dump_of_key(l, at - 1, key) : NULL;

	if (!before && !after)
		return LIKENESS_NONE;
	if (!before || !after)
		return before ? before->sample : after->sample;
	return after->time_ns - out_ns < out_ns - before->time_ns ? after->sample : before->sample;
}

/* Whether the whole stack @whole has the frames of @part innermost. */
static bool ends_in(const struct store *store, uint32_t whole, uint32_t part)
{
	while (part != STORE_NO_STACK) {
		if (whole == part)
			return true;
		if (whole == STORE_NO_STACK ||
		    store__leaf(store, whole) != store__leaf(store, part))
			return false;
		whole = store__parent(store, whole);
		part = store__parent(store, part);
	}
	return true;
}

/* Of the whole dumps of @key those that end in @part, if all show one stack. */
static uint32_t match(struct likeness *l, uint32_t key, uint32_t part)
{
	uint32_t id = idmap__intern(&l->matches, key, part), found = LIKENESS_NONE;
	uint32_t shown = RESOLVE_NO_STACK;

	if (id < l->match.n)
		return l->match.data[id];
	for (size_t i = find_dump(l, key, 0); dump_of_key(l, i, key); i++) {
		const struct likeness_dump *d = &l->dumps.data[i];
		const struct store_sample *s = &l->store->samples.data[d->sample];

		if (is_cut(s) || !ends_in(l->store, likeness__user_stack(l->store, s->stack), part))
			continue;
		if (found != LIKENESS_NONE && d->shown != shown) {
			found = LIKENESS_NONE;
			break;
		}
		found = d->sample;
		shown = d->shown;
	}
	vec__push(&l->match, found);
	return found;
}

uint32_t likeness__find(struct likeness *l, uint32_t thread, uint32_t place, uint64_t out_ns,
			uint64_t back_ns)
{
	uint32_t ref = idmap__find(&l->refs, thread, place);
	uint32_t own = own_dump(l, thread, out_ns, back_ns), key, alike;

	if (own != LIKENESS_NONE && !is_cut(&l->store->samples.data[own]))
		return own;
	if (ref == IDMAP_NONE)
		return own;
	key = l->key_of.data[ref];
	if (own == LIKENESS_NONE)
		return l->doubted.data[key] ? LIKENESS_NONE : nearest(l, key, out_ns);
	alike = match(l, key, likeness__user_stack(l->store, l->store->samples.data[own].stack));
	return alike == LIKENESS_NONE ? own : alike;
}

/* A frame of which no more is known than that it is there. */
static uint32_t push_blank(struct store *store, uint32_t caller, struct observation o)
{
	o.n = 0;
	return positions__push(&store->positions, caller, &o);
}

/* What two stacks of the same functions agree on; one is the shorter part of the other's. */
static uint32_t agree(struct store *store, const struct lines *lines, uint32_t a, uint32_t b)
{
	const struct positions *p = &store->positions;
	struct observation x, y;
	uint32_t caller, ida, idb;

	if (a == b || a == POSITIONS_NONE || b == POSITIONS_NONE)
		return a == b ? a : POSITIONS_NONE;
	ida = positions__observation(p, a);
	idb = positions__observation(p, b);
	x = positions__get(p, ida);
	y = positions__get(p, idb);
	if (x.trampoline != y.trampoline)
		return POSITIONS_NONE;
	caller = agree(store, lines, positions__caller(p, a), positions__caller(p, b));
	if (caller == positions__caller(p, a) && lines__of(lines, ida) == lines__of(lines, idb))
		return a;
	if (lines__of(lines, ida) != lines__of(lines, idb))
		return push_blank(store, caller, x);
	x = positions__get(p, ida); /* what was borrowed may have moved */
	return positions__push(&store->positions, caller, &x);
}

static uint32_t agreed(struct likeness *l, struct store *store, const struct lines *lines,
		       uint32_t key)
{
	size_t i = find_dump(l, key, 0);
	uint32_t all;

	if (!dump_of_key(l, i, key))
		return POSITIONS_NONE;
	all = positions__of(&store->positions, l->dumps.data[i].sample);
	for (i++; dump_of_key(l, i, key); i++)
		all = agree(store, lines, all,
			    positions__of(&store->positions, l->dumps.data[i].sample));
	return all;
}

uint32_t likeness__positions(struct likeness *l, struct store *store, const struct lines *lines,
			     uint32_t thread, uint32_t place, uint64_t out_ns, uint64_t back_ns)
{
	uint32_t ref = idmap__find(&l->refs, thread, place);
	uint32_t own = own_dump(l, thread, out_ns, back_ns), key, found;

	if (own != LIKENESS_NONE)
		return positions__of(&store->positions, own);
	if (ref == IDMAP_NONE)
		return POSITIONS_NONE;
	key = l->key_of.data[ref];
	while (l->agreed.n <= key)
		vec__push(&l->agreed, NOT_YET);
	if (l->agreed.data[key] == NOT_YET) {
		found = agreed(l, store, lines, key);
		l->agreed.data[key] = found;
	}
	return l->agreed.data[key];
}
