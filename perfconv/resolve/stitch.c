// SPDX-License-Identifier: GPL-2.0
/*
 * A cut stack is told by its outermost activation, at the cut.  The words of
 * spots.h: what the thread's complete stacks show at that function and CFA are its
 * continuations; exactly one may exist, there and at every Python function further
 * out, and the frame must not have held anything else than it always did.
 *
 * Only what was unwound to the end is a source, never a stitched stack: an error
 * would breed.
 */
#include "perfconv/resolve/stitch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/resolve/spots.h"
#include "perfconv/store/activation.h"

#define LEAST_SEEN 2u /* sightings of the continuation itself */

/* An activation as what a cut stack may go on with. */
struct ground {
	bool clear; /* each function on the way to the root has one continuation */
	bool trunk; /* all complete stacks of the thread show it */
	uint32_t support;
};

struct stitcher {
	struct store *store;
	const struct machine *machine;
	struct spots spots;
	struct idmap ground_keys; /* (thread, activation) */
	VEC(struct ground) grounds;
	VEC(uint32_t) path; /* scratch: activations, innermost first */
	struct stitch_counts counts;
};

static bool is_python(const struct stitcher *st, uint32_t activation)
{
	uint32_t location = activation__location(st->store, activation);
	uint32_t dso = store__get_location(st->store, location).place.dso;

	return dsos__get(&st->machine->dsos, dso)->kind == DSO_TRAMPOLINE;
}

static bool has_python(const struct stitcher *st, uint32_t activation)
{
	for (; activation != STORE_NO_ACTIVATION;
	     activation = activation__parent(st->store, activation))
		if (is_python(st, activation))
			return true;
	return false;
}

static bool has_one_continuation(struct stitcher *st, uint32_t thread, uint32_t activation)
{
	uint32_t first = spots__continuations(&st->spots, thread, activation);

	return first == SPOTS_NONE || (st->spots.continuations.data[first].next == SPOTS_NONE &&
				       !st->spots.continuations.data[first].rival);
}

/*
 * From @activation to the root: has every function one continuation?  Where one
 * has two, the frame at the cut may have been reached by the other way too, only
 * that no complete stack shows it.  The interpreter's own functions serve all of
 * Python: there it is the trampolines that count.
 */
static bool is_clear(struct stitcher *st, uint32_t thread, uint32_t activation)
{
	bool python = has_python(st, activation);

	for (uint32_t a = activation; a != STORE_NO_ACTIVATION;
	     a = activation__parent(st->store, a))
		if ((!python || is_python(st, a)) && !has_one_continuation(st, thread, a))
			return false;
	return true;
}

/*
 * How many complete stacks say that @activation is what the thread does there: those
 * that show the outermost of its frames which is not always there.
 */
static uint32_t count_support(struct stitcher *st, uint32_t thread, uint32_t activation)
{
	uint32_t support = st->spots.threads.data[thread].complete;

	for (uint32_t a = activation;
	     a != STORE_NO_ACTIVATION && !spots__is_trunk(&st->spots, thread, a);
	     a = activation__parent(st->store, a)) {
		uint32_t seen = spots__sightings(&st->spots, thread, a);

		support = seen == SPOTS_NONE ? 0 : st->spots.continuations.data[seen].seen;
	}
	return support;
}

/* What is known of an activation as a caller, asked once. */
static const struct ground *ground_of(struct stitcher *st, uint32_t thread, uint32_t activation)
{
	uint32_t id = idmap__intern(&st->ground_keys, thread, activation);

	if (id == st->grounds.n) {
		struct ground g = { .clear = is_clear(st, thread, activation),
				    .trunk = spots__is_trunk(&st->spots, thread, activation),
				    .support = count_support(st, thread, activation) };

		vec__push(&st->grounds, g);
	}
	return &st->grounds.data[id];
}

/* Is a slot of @e not as it always was at that place? */
static bool differs(const struct sightings *s, const struct evidence *e)
{
	for (size_t i = 0; i < EVIDENCE_SLOTS; i++)
		if ((s->constant & e->known) >> i & 1 && s->slot[i] != e->slot[i])
			return true;
	return false;
}

/* The view at the very place of the cut, or SPOTS_NONE. */
static uint32_t equal_view(const struct stitcher *st, const struct continuation *c, uint32_t cut)
{
	uint32_t v = c->views;

	while (v != SPOTS_NONE &&
	       activation__location(st->store, st->spots.views.data[v].activation) !=
		       activation__location(st->store, cut))
		v = st->spots.views.data[v].next;
	return v;
}

static bool is_between(uint64_t time_ns, uint64_t first_ns, uint64_t last_ns)
{
	return time_ns >= first_ns && time_ns <= last_ns;
}

/* Not later, nor earlier, than it was ever missed for between two sightings: who called
 * at other times is not known. */
static bool is_near(const struct continuation *c, uint64_t time_ns)
{
	return (time_ns >= c->first_ns || c->first_ns - time_ns <= c->gap_ns) &&
	       (time_ns <= c->last_ns || time_ns - c->last_ns <= c->gap_ns);
}

/* Whether @caller is there, as far as anybody knows: seen before and after.  What was there
 * and then no more may be over: a start-up. */
static bool is_there(struct stitcher *st, const struct store_sample *sample, uint32_t caller)
{
	const struct spots_thread *t = &st->spots.threads.data[sample->thread];
	uint32_t seen = spots__sightings(&st->spots, sample->thread, caller);
	const struct continuation *c;

	if (seen == SPOTS_NONE) /* a root, or a frame of which no CFA is known */
		return is_between(sample->time_ns, t->first_ns, t->last_ns);
	c = &st->spots.continuations.data[seen];
	return is_between(sample->time_ns, c->first_ns, c->last_ns);
}

enum judgement { BELIEVED, UNSEEN, CONTRADICTED };

static enum judgement judge(struct stitcher *st, const struct store_sample *sample,
			    const struct continuation *c, uint32_t cut, const struct evidence *e)
{
	const struct ground *ground = ground_of(st, sample->thread, c->caller);
	uint32_t view = equal_view(st, c, cut);
	const struct sightings *s = NULL;

	if (!is_there(st, sample, c->caller))
		return UNSEEN;
	/* What begins where the frame of a caller that is always there ends, it called. */
	if (ground->trunk && c->seen >= LEAST_SEEN && ground->support >= STITCH_LEAST_OF_TRUNK)
		return BELIEVED;
	if (ground->support < STITCH_LEAST_SUPPORT)
		return UNSEEN;
	if (ground->trunk)
		return BELIEVED;
	if (c->seen < LEAST_SEEN || !is_near(c, sample->time_ns))
		return UNSEEN;
	if (view != SPOTS_NONE)
		s = evidence_table__sightings(&st->store->evidence,
					      st->spots.views.data[view].activation);
	return s && s->seen >= LEAST_SEEN && differs(s, e) ? CONTRADICTED : BELIEVED;
}

/* @activation's locations from the root on, as a stack. */
static uint32_t push_locations(struct stitcher *st, uint32_t activation)
{
	uint32_t stack = STORE_NO_STACK;

	st->path.n = 0;
	for (; activation != STORE_NO_ACTIVATION;
	     activation = activation__parent(st->store, activation))
		vec__push(&st->path, activation);
	for (size_t i = st->path.n; i-- > 0;)
		stack = store__push(st->store, stack,
				    activation__location(st->store, st->path.data[i]));
	return stack;
}

static uint32_t push_on_stack(struct stitcher *st, uint32_t stack, uint32_t below)
{
	st->path.n = 0;
	for (uint32_t s = stack; s != STORE_NO_STACK; s = store__parent(st->store, s))
		vec__push(&st->path, store__leaf(st->store, s));
	for (size_t i = st->path.n; i-- > 0;)
		below = store__push(st->store, below, st->path.data[i]);
	return below;
}

/* Return: how many activations @sample had of its own. */
static uint32_t push_on_activations(struct stitcher *st, struct store_sample *sample,
				    uint32_t caller)
{
	uint32_t a = sample->activation;

	st->path.n = 0;
	for (; a != STORE_NO_ACTIVATION; a = activation__parent(st->store, a))
		vec__push(&st->path, a);
	for (size_t i = st->path.n; i-- > 0;)
		caller = store__activation(st->store, caller,
					   activation__location(st->store, st->path.data[i]),
					   activation__cfa(st->store, st->path.data[i]));
	sample->activation = caller;
	return (uint32_t)st->path.n;
}

static void complete(struct stitcher *st, uint32_t index, uint32_t caller)
{
	struct store_sample *sample = &st->store->samples.data[index];
	uint32_t own = push_on_activations(st, sample, caller);

	sample->stack = push_on_stack(st, sample->stack, push_locations(st, caller));
	sample->ending = STACK_COMPLETE;
	sample->stitched = true;
	vec__push(&st->store->stitches, ((struct store_stitch){ index, own }));
	st->counts.stitched++;
}

static uint32_t outermost(const struct store *s, uint32_t activation)
{
	while (activation__parent(s, activation) != STORE_NO_ACTIVATION)
		activation = activation__parent(s, activation);
	return activation;
}

static void stitch(struct stitcher *st, const struct evidence_cut *cut)
{
	const struct store_sample *sample = &st->store->samples.data[cut->sample];
	uint32_t at = outermost(st->store, sample->activation);
	uint32_t first = spots__continuations(&st->spots, sample->thread, at);
	const struct continuation *c;

	if (first == SPOTS_NONE || cut->held == EVIDENCE_NONE) {
		st->counts.unseen++;
		return;
	}
	c = &st->spots.continuations.data[first];
	if (c->next != SPOTS_NONE || c->rival || !ground_of(st, sample->thread, c->caller)->clear) {
		st->counts.ambiguous++;
		return;
	}
	switch (judge(st, sample, c, at, &st->store->evidence.held.data[cut->held])) {
	case UNSEEN:
		st->counts.unseen++;
		break;
	case CONTRADICTED:
		st->counts.contradicted++;
		break;
	case BELIEVED:
	default:
		complete(st, cut->sample, c->caller);
		break;
	}
}

struct stitch_counts stitch__all(struct store *store, const struct machine *machine,
				 struct images *images)
{
	struct stitcher st = { .store = store, .machine = machine };

	if (!store->evidence.cuts.n)
		return st.counts;
	spots__init(&st.spots, store, &machine->dsos, images);
	for (size_t i = 0; i < store->evidence.cuts.n; i++)
		stitch(&st, &store->evidence.cuts.data[i]);
	spots__release(&st.spots);
	idmap__release(&st.ground_keys);
	vec__release(&st.grounds);
	vec__release(&st.path);
	return st.counts;
}

size_t stitch__own_frames(const struct store *store, uint32_t sample)
{
	size_t n = vec__upto(&store->stitches, sample, sample);

	return n && store->stitches.data[n - 1].sample == sample
		       ? store->stitches.data[n - 1].frames
		       : SIZE_MAX;
}
