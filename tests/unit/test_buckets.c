// SPDX-License-Identifier: GPL-2.0
/* Making profiles smaller, and taking parts of them, without losing a nanosecond. */
#include "perfconv/profile/buckets.h"

#include "perfconv/profile/builder.h"
#include "perfconv/profile/filter.h"
#include "perfconv/profile/total.h"
#include "tests/unit/world.h"

#define STACKS 5u

struct made {
	struct world world;
	struct profile *profile;
	uint32_t stacks[STACKS]; /* resolved; the last is a gap */
};

static void make(struct made *m, const char *folder)
{
	static const char *const names[] = { "a", "b", "c", "d" };

	world__init(&m->world, folder, false);
	world__resolve(&m->world, FRAMES_ALL);
	for (size_t i = 0; i + 1 < STACKS; i++)
		m->stacks[i] =
			resolver__push(m->world.resolver, RESOLVE_NO_STACK,
				       resolver__label(m->world.resolver, FRAME_NOTE, names[i]));
	m->stacks[STACKS - 1] = RESOLVE_NO_STACK;
	m->profile = mem__alloc(1, sizeof(*m->profile));
	m->profile->resolved = resolver__resolved(m->world.resolver);
	m->profile->timed = true;
}

static void drop(struct made *m)
{
	profile__free(m->profile);
	world__release(&m->world);
}

static struct profile_thread *add_thread(struct made *m, uint32_t tid, const char *name)
{
	struct profile_thread *t = vec__add(&m->profile->threads);

	t->tid = tid;
	t->pid = 70;
	t->name = mem__strdup(name);
	t->full = t->comm = "python";
	return t;
}

/* A thread that hops between stacks as a busy one does; always the same. */
static void fill_by(struct made *m, struct profile_thread *t, uint64_t end, bool held)
{
	uint64_t seed = t->tid;

	while (t->end < end) {
		struct profile_slice slice;
		uint64_t weight;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		weight = 1 + (seed >> 40) % 3000;
		if (weight > end - t->end)
			weight = end - t->end;
		slice = (struct profile_slice){ weight, m->stacks[(seed >> 33) % STACKS],
						seed >> 62 & 1 };
		if (held)
			buckets__add(m->profile, t, slice);
		else
			profile_thread__add(t, slice);
	}
	if (t->end > m->profile->duration)
		m->profile->duration = t->end;
}

static void fill(struct made *m, struct profile_thread *t, uint64_t end)
{
	fill_by(m, t, end, false);
}

/* Sums per stack in the first @until ns. */
static void sum(const struct profile_thread *t, uint64_t until, uint64_t *sums)
{
	uint64_t at = 0;

	memset(sums, 0, STACKS * sizeof(*sums));
	for (size_t i = 0; i < t->slices.n && at < until; i++) {
		uint64_t weight = t->slices.data[i].weight;

		if (weight > until - at)
			weight = until - at;
		sums[(uint32_t)(t->slices.data[i].stack + 1) % STACKS] += weight;
		at += t->slices.data[i].weight;
	}
}

static void sums_stay_exact_in_every_bucket(void **state)
{
	uint64_t before[100][STACKS], after[STACKS], width;
	struct profile_thread *t;
	struct made m;
	size_t n;

	make(&m, *state);
	t = add_thread(&m, 71, "busy");
	fill(&m, t, 20000000);
	n = t->slices.n;
	assert_true(n > 10000);
	/* The width is not known yet: note sums at all multiples of 200 us. */
	for (uint64_t i = 0; i < 100; i++)
		sum(t, (i + 1) * 200000, before[i]);
	buckets__merge(m.profile, 1000);
	width = m.profile->bucket_ns;
	assert_true(width >= 1000 && t->slices.n <= 1000);
	assert_int_equal(m.profile->merged, n - t->slices.n);
	assert_int_equal(200000 % width, 0);
	for (uint64_t i = 0; i < 100; i++) {
		sum(t, (i + 1) * 200000, after);
		assert_memory_equal(after, before[i], sizeof(after));
	}
	drop(&m);
}

static void what_is_small_stays_as_it_is(void **state)
{
	struct profile_slice before[64];
	struct profile_thread *t;
	struct made m;

	make(&m, *state);
	t = add_thread(&m, 72, "seldom");
	for (size_t i = 0; i < 60; i++)
		profile_thread__add(t, (struct profile_slice){ 300000, m.stacks[i % 3], false });
	memcpy(before, t->slices.data, 60 * sizeof(*before));
	fill(&m, add_thread(&m, 71, "busy"), 20000000);
	buckets__merge(m.profile, 1000);
	t = &m.profile->threads.data[0];
	assert_true(m.profile->bucket_ns);
	assert_int_equal(t->slices.n, 60);
	for (size_t i = 0; i < 60; i++)
		assert_int_equal(t->slices.data[i].stack, before[i].stack);
	drop(&m);
}

static void enough_room_changes_nothing(void **state)
{
	struct made m;
	size_t n;

	make(&m, *state);
	fill(&m, add_thread(&m, 71, "busy"), 2000000);
	n = m.profile->threads.data[0].slices.n;
	buckets__merge(m.profile, n);
	assert_int_equal(m.profile->bucket_ns, 0);
	assert_int_equal(m.profile->threads.data[0].slices.n, n);
	buckets__merge(m.profile, n - 1);
	assert_int_not_equal(m.profile->bucket_ns, 0);
	assert_true(m.profile->threads.data[0].slices.n < n);
	drop(&m);
}

/* Two busy threads and one that is not, with a limit on what is held, or none. */
static void make_three(struct made *m, const char *folder, uint64_t max_slices)
{
	make(m, folder);
	m->profile->holding.max_slices = max_slices;
	for (uint32_t tid = 71; tid < 74; tid++)
		(void)add_thread(m, tid, "thread");
	for (size_t i = 0; i < 3; i++)
		fill_by(m, &m->profile->threads.data[i], i == 1 ? 20000 : 60000000, true);
}

static void what_is_held_is_few_and_becomes_the_same(void **state)
{
	const uint64_t max = 900;
	struct made all, held;

	make_three(&all, *state, 0);
	make_three(&held, *state, max);
	assert_true(all.profile->holding.slices > 40 * max);
	assert_true(held.profile->holding.slices <= 5 * max);
	assert_true(held.profile->holding.width >= 1000);
	buckets__merge(all.profile, max);
	buckets__merge(held.profile, max);
	assert_int_equal(held.profile->bucket_ns, all.profile->bucket_ns);
	assert_int_equal(held.profile->merged, all.profile->merged);
	for (size_t i = 0; i < 3; i++) {
		const struct profile_thread *a = &all.profile->threads.data[i];
		const struct profile_thread *b = &held.profile->threads.data[i];

		assert_int_equal(b->end, a->end);
		assert_int_equal(b->slices.n, a->slices.n);
		for (size_t k = 0; k < a->slices.n; k++) {
			assert_int_equal(b->slices.data[k].weight, a->slices.data[k].weight);
			assert_int_equal(b->slices.data[k].stack, a->slices.data[k].stack);
		}
	}
	drop(&all);
	drop(&held);
}

/* More stacks than slices are wanted: no width helps, and none is tried again and again. */
static void held_slices_may_be_too_many(void **state)
{
	struct made m;

	make_three(&m, *state, 1);
	assert_true(m.profile->holding.slices <= 3 * (STACKS + 1) * 2);
	buckets__merge(m.profile, 1);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(m.profile->threads.data[i].slices.n, STACKS);
	drop(&m);
}

static void hidden_threads_hold_nothing(void **state)
{
	struct profile_thread *t;
	struct made m;

	make(&m, *state);
	t = add_thread(&m, 71, "busy");
	t->hidden = true;
	fill_by(&m, t, 2000000, true);
	assert_int_equal(t->end, 2000000);
	assert_int_equal(t->slices.n, 0);
	drop(&m);
}

/* Not less than one slice for each stack can be. */
static void one_bucket_is_the_least(void **state)
{
	struct made m;

	make(&m, *state);
	fill(&m, add_thread(&m, 71, "busy"), 2000000);
	buckets__merge(m.profile, 1);
	assert_int_equal(m.profile->threads.data[0].slices.n, STACKS);
	drop(&m);
}

/* Times of a damaged capture may lie 584 years apart. */
static void no_width_overflows(void **state)
{
	struct profile_thread *t;
	struct made m;

	make(&m, *state);
	t = add_thread(&m, 71, "damaged");
	for (size_t i = 0; i < STACKS; i++)
		profile_thread__add(t, (struct profile_slice){ UINT64_MAX / STACKS, m.stacks[i],
							       false });
	m.profile->duration = t->end;
	buckets__merge(m.profile, 1);
	assert_int_equal(m.profile->threads.data[0].slices.n, STACKS);
	drop(&m);
}

static void the_total_has_each_threads_sums(void **state)
{
	uint64_t sums[STACKS], all = 0, own = 0;
	struct made m;

	make(&m, *state);
	fill(&m, add_thread(&m, 71, "one"), 2000000);
	fill(&m, add_thread(&m, 72, "two"), 2000000);
	total__make(m.profile, m.world.resolver);
	for (size_t i = 0; i < m.profile->total.n; i++)
		all += m.profile->total.data[i].weight;
	for (size_t i = 0; i < 2; i++) {
		sum(&m.profile->threads.data[i], UINT64_MAX, sums);
		for (size_t k = 0; k < STACKS; k++)
			own += k == (uint32_t)(RESOLVE_NO_STACK + 1) % STACKS ? 0 : sums[k];
	}
	assert_int_equal(m.profile->total.n, 2 * (STACKS - 1));
	assert_int_equal(all, own);
	assert_contains(world__text(&m.world, m.profile->total.data[0].stack), "one > ");
	assert_contains(world__text(&m.world, m.profile->total.data[STACKS].stack), "two > ");
	drop(&m);
}

static size_t left(struct made *m, const char *thread, const char *process)
{
	struct profile_filter f = { 0 };

	f.threads = &thread;
	f.threads_n = thread != NULL;
	f.processes = &process;
	f.processes_n = process != NULL;
	return profile__filter(m->profile, &f);
}

static void threads_are_filtered_by_name_and_number(void **state)
{
	struct made m;

	make(&m, *state);
	for (uint32_t tid = 71; tid < 75; tid++) {
		char *name = mem__format("RedisProxy_%u", tid);

		add_thread(&m, tid, name)->weight = tid;
		free(name);
	}
	add_thread(&m, 75, "MainThread")->pid = 80;
	assert_int_equal(left(&m, NULL, "70"), 4);
	assert_int_equal(left(&m, "RedisProxy_*", NULL), 4);
	assert_int_equal(left(&m, "RedisProxy_7[1-3]", NULL), 3);
	assert_int_equal(left(&m, "72", NULL), 1);
	assert_int_equal(m.profile->weight, 72);
	assert_int_equal(left(&m, "python", "python"), 1);
	assert_int_equal(left(&m, "7", NULL), 0);
	drop(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(sums_stay_exact_in_every_bucket),
		scratch_test(what_is_small_stays_as_it_is),
		scratch_test(enough_room_changes_nothing),
		scratch_test(what_is_held_is_few_and_becomes_the_same),
		scratch_test(held_slices_may_be_too_many),
		scratch_test(hidden_threads_hold_nothing),
		scratch_test(one_bucket_is_the_least),
		scratch_test(no_width_overflows),
		scratch_test(the_total_has_each_threads_sums),
		scratch_test(threads_are_filtered_by_name_and_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
