// SPDX-License-Identifier: GPL-2.0
/* Which cut stacks are completed, with what, and which stay cut. */
#include "perfconv/resolve/stitch.h"

#include "perfconv/store/activation.h"
#include "tests/unit/support.h"
#include "tests/unit/world.h"

/* A frame: an address (world.h) and where it lies. */
struct at {
	uint64_t ip, cfa;
};

#define ENOUGH STITCH_LEAST_SUPPORT
#define FRAMES(...) ((const struct at[]){ __VA_ARGS__, { 0, 0 } })

/* A loop that calls by way of one Python function; root first. */
#define ROOT                                                                                       \
	{                                                                                          \
		START_THREAD, 0x9000                                                               \
	}
#define LOOP                                                                                       \
	{                                                                                          \
		PY_RUN, 0x8f00                                                                     \
	}
#define LOOP_EVAL                                                                                  \
	{                                                                                          \
		EVAL, 0x8e00                                                                       \
	}
#define CALL                                                                                       \
	{                                                                                          \
		PY_RECV, 0x8d00                                                                    \
	}
#define CALL_EVAL                                                                                  \
	{                                                                                          \
		EVAL, 0x8c00                                                                       \
	}
#define OTHER_CALL                                                                                 \
	{                                                                                          \
		PY_TASK, 0x8d00                                                                    \
	}
#define WAIT                                                                                       \
	{                                                                                          \
		SOCK_RECV, 0x8b00                                                                  \
	}
#define LEAF                                                                                       \
	{                                                                                          \
		RECV, 0x100                                                                        \
	}

struct fixture {
	struct world w;
	uint64_t now_ns;
	struct evidence held; /* by every frame, from now on */
	struct stitch_counts counts;
};

static void start(struct fixture *f, const char *folder)
{
	memset(f, 0, sizeof(*f));
	world__init(&f->w, folder, true);
	f->held.known = 0xff;
	for (size_t i = 0; i < 8; i++)
		f->held.slot[i] = 0x1000 + i;
}

/* A sample of thread @tid, a microsecond later than the last one.  Return: its index. */
static uint32_t add(struct fixture *f, uint32_t tid, enum stack_ending ending,
		    const struct at *frames)
{
	struct store *store = &f->w.store;
	struct store_sample s = { .stack = STORE_NO_STACK,
				  .activation = STORE_NO_ACTIVATION,
				  .weight = 1,
				  .time_ns = f->now_ns += 1000,
				  .ending = (uint8_t)ending };
	uint32_t process;

	s.thread = machine__thread(&f->w.machine, WORLD_PID, tid);
	process = f->w.machine.threads.data[s.thread].process;
	for (size_t i = 0; frames[i].ip; i++) {
		bool kernel = frames[i].ip >> 63;
		struct place p = kernel ? machine__kernel_place(frames[i].ip)
					: machine__user_place(&f->w.machine, process, frames[i].ip);
		uint32_t location;

		p.address += 8;
		location = store__location(store, p, frames[i + 1].ip != 0);
		s.stack = store__push(store, s.stack, location);
		if (kernel)
			continue;
		s.activation = store__activation(store, s.activation, location, frames[i].cfa);
		if (ending == STACK_COMPLETE && i)
			evidence_table__saw(&store->evidence, s.activation, &f->held);
	}
	if (ending == STACK_TRUNCATED)
		evidence_table__cut(&store->evidence, (uint32_t)store->samples.n, &f->held);
	vec__push(&store->samples, s);
	return (uint32_t)store->samples.n - 1;
}

static void complete(struct fixture *f, const struct at *frames, size_t times)
{
	for (size_t i = 0; i < times; i++)
		add(f, 101, STACK_COMPLETE, frames);
}

static uint32_t cut(struct fixture *f, const struct at *frames)
{
	return add(f, 101, STACK_TRUNCATED, frames);
}

static void stitch(struct fixture *f)
{
	f->counts = stitch__all(&f->w.store, &f->w.machine, &f->w.images);
}

static void end(struct fixture *f)
{
	world__release(&f->w);
}

static const struct store_sample *sample(const struct fixture *f, uint32_t i)
{
	return &f->w.store.samples.data[i];
}

static void stays_cut(const struct fixture *f, uint32_t i)
{
	assert_int_equal(sample(f, i)->ending, STACK_TRUNCATED);
	assert_false(sample(f, i)->stitched);
	assert_int_equal(stitch__own_frames(&f->w.store, i), SIZE_MAX);
}

static void a_cut_stack_gets_its_callers(void **state)
{
	struct fixture f;
	uint32_t whole, i;

	start(&f, *state);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF), ENOUGH - 1);
	i = cut(&f, FRAMES(CALL_EVAL, WAIT, LEAF));
	whole = add(&f, 101, STACK_COMPLETE,
		    FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF));
	stitch(&f);
	assert_int_equal(f.counts.stitched, 1);
	assert_int_equal(sample(&f, i)->stack, sample(&f, whole)->stack);
	assert_int_equal(sample(&f, i)->activation, sample(&f, whole)->activation);
	assert_int_equal(sample(&f, i)->ending, STACK_COMPLETE);
	assert_true(sample(&f, i)->stitched);
	assert_false(sample(&f, whole)->stitched);
	assert_int_equal(stitch__own_frames(&f.w.store, i), 3);
	assert_int_equal(stitch__own_frames(&f.w.store, whole), SIZE_MAX);
	end(&f);
}

/* The cut one's own inner frames stay, the kernel's too. */
static void inner_frames_are_its_own(void **state)
{
	const struct at kernel = { WORLD_KERNEL, 0 };
	struct fixture f;
	uint32_t i, s;

	start(&f, *state);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF), ENOUGH);
	i = cut(&f, FRAMES(CALL_EVAL, { VECTORCALL, 0x8800 }, kernel));
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF), 1);
	stitch(&f);
	assert_int_equal(f.counts.stitched, 1);
	assert_int_equal(stitch__own_frames(&f.w.store, i), 2);
	s = sample(&f, i)->stack;
	assert_int_equal(store__get_location(&f.w.store, store__leaf(&f.w.store, s)).place.dso,
			 DSO_ID_KERNEL);
	world__resolve(&f.w, FRAMES_ALL);
	assert_string_equal(world__text(&f.w, resolver__stack(f.w.resolver,
							      store__parent(&f.w.store, s), false)),
			    "start_thread > Loop.run > _PyEval_EvalFrameDefault > recv > "
			    "_PyEval_EvalFrameDefault > _PyObject_Vectorcall");
	end(&f);
}

static void other_threads_functions_and_cfas_do_not_help(void **state)
{
	struct fixture f;
	uint32_t i, k, l;

	start(&f, *state);
	for (size_t n = 0; n < ENOUGH; n++)
		add(&f, 102, STACK_COMPLETE,
		    FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF));
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, { EVAL, 0x8c08 }, WAIT, LEAF), ENOUGH);
	i = cut(&f, FRAMES(CALL_EVAL, WAIT, LEAF));
	k = cut(&f, FRAMES({ VECTORCALL, 0x8c08 }, WAIT, LEAF));
	l = cut(&f, FRAMES({ EVAL, 0 }, WAIT, LEAF));
	stitch(&f);
	assert_int_equal(f.counts.unseen, 3);
	stays_cut(&f, i), stays_cut(&f, k), stays_cut(&f, l);
	end(&f);
}

static void two_callers_at_equal_cfas_leave_it_cut(void **state)
{
	struct fixture f;
	uint32_t i;

	start(&f, *state);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF), ENOUGH);
	i = cut(&f, FRAMES(WAIT, LEAF));
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, CALL_EVAL, WAIT, LEAF), 1);
	stitch(&f);
	assert_int_equal(f.counts.ambiguous, 1);
	stays_cut(&f, i);
	end(&f);
}

/* The rare caller was seen at less depth only: at a Python function on the way. */
static void two_callers_further_out_leave_it_cut(void **state)
{
	const struct at inner = { PY_BOOTSTRAP, 0x8b80 }, deep = { EVAL, 0x8b40 };
	struct fixture f;
	uint32_t i;

	start(&f, *state);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, inner, deep, WAIT, LEAF),
		 ENOUGH);
	i = cut(&f, FRAMES(WAIT, LEAF));
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, CALL_EVAL, inner, LEAF), 1);
	stitch(&f);
	assert_int_equal(f.counts.ambiguous, 1);
	stays_cut(&f, i);
	end(&f);
}

/* Native functions count where there is no Python. */
static void two_native_callers_further_out_leave_it_cut(void **state)
{
	struct fixture f;
	uint32_t i;

	start(&f, *state);
	complete(&f, FRAMES(ROOT, { STRIPPED, 0x8f00 }, { VECTORCALL, 0x8e00 }, WAIT, LEAF),
		 ENOUGH);
	i = cut(&f, FRAMES(WAIT, LEAF));
	complete(&f, FRAMES(ROOT, { STRIPPED_2, 0x8f00 }, { VECTORCALL, 0x8e00 }, LEAF), 1);
	stitch(&f);
	assert_int_equal(f.counts.ambiguous, 1);
	stays_cut(&f, i);
	end(&f);
}

static void one_sighting_is_not_enough(void **state)
{
	struct fixture f;
	uint32_t i;

	start(&f, *state);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF), 1);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, LEAF), ENOUGH);
	i = cut(&f, FRAMES(WAIT, LEAF));
	stitch(&f);
	assert_int_equal(f.counts.unseen, 1);
	stays_cut(&f, i);
	end(&f);
}

/* What begins where the frame of a caller ends that is there all the time. */
static void one_sighting_is_enough_next_to_what_is_always_there(void **state)
{
	const struct at called = { VECTORCALL, 0x8d00 };
	struct fixture f;
	uint32_t i, near;

	start(&f, *state);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, called, LEAF), 1);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, LEAF), ENOUGH - 3);
	near = cut(&f, FRAMES(called, LEAF));
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, LEAF), 1);
	stitch(&f);
	stays_cut(&f, near); /* too few stacks to tell what is always there */
	end(&f);

	start(&f, *state);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, called, LEAF), 1);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, LEAF), ENOUGH - 2);
	i = cut(&f, FRAMES(called, LEAF));
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, LEAF), 1);
	stitch(&f);
	assert_int_equal(sample(&f, i)->stack, sample(&f, 0)->stack);
	end(&f);
}

/* An event loop's wait: seen twice at the end of a frame that few stacks show, but all. */
static void a_second_sighting_there_needs_fewer_stacks(void **state)
{
	const struct at called = { VECTORCALL, 0x8d00 };
	struct fixture f;
	uint32_t i;

	start(&f, *state);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, called, LEAF), 2);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, LEAF), STITCH_LEAST_OF_TRUNK - 4);
	i = cut(&f, FRAMES(called, LEAF));
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, LEAF), 1);
	stitch(&f);
	stays_cut(&f, i);
	end(&f);

	start(&f, *state);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, called, LEAF), 2);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, LEAF), STITCH_LEAST_OF_TRUNK - 3);
	i = cut(&f, FRAMES(called, LEAF));
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, LEAF), 1);
	stitch(&f);
	assert_int_equal(sample(&f, i)->stack, sample(&f, 0)->stack);
	end(&f);
}

/* What all stacks show may be over when the last of them is: a start-up, and then a loop. */
static void what_was_always_there_may_be_over(void **state)
{
	const struct at called = { VECTORCALL, 0x8d00 };
	struct fixture f;
	uint32_t before, between, after;

	start(&f, *state);
	before = cut(&f, FRAMES(called, LEAF));
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, LEAF), 1);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, called, LEAF), ENOUGH);
	between = cut(&f, FRAMES(called, LEAF));
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, OTHER_CALL, LEAF), 1);
	after = cut(&f, FRAMES(called, LEAF));
	stitch(&f);
	stays_cut(&f, before), stays_cut(&f, after);
	assert_true(sample(&f, between)->stitched);
	end(&f);
}

static void what_was_held_must_agree(void **state)
{
	struct fixture f;
	uint32_t same, other, unknown;

	start(&f, *state);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, LEAF), 1);
	for (uint64_t i = 0; i < ENOUGH; i++) {
		f.held.slot[3] = i; /* this one differs each time: it says nothing */
		complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF), 1);
	}
	f.held.slot[3] = 99;
	same = cut(&f, FRAMES(CALL_EVAL, WAIT, LEAF));
	f.held.slot[5] ^= 8;
	other = cut(&f, FRAMES(CALL_EVAL, WAIT, LEAF));
	f.held.known = 0x1f;
	unknown = cut(&f, FRAMES(CALL_EVAL, WAIT, LEAF));
	f.held.slot[5] ^= 8;
	f.held.known = 0xff;
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF), 1);
	stitch(&f);
	assert_true(sample(&f, same)->stitched);
	assert_true(sample(&f, unknown)->stitched);
	assert_int_equal(f.counts.contradicted, 1);
	stays_cut(&f, other);
	end(&f);
}

/* Before the first and after the last sighting another caller may have been there,
 * however soon. */
static void it_must_have_been_seen_before_and_after(void **state)
{
	struct fixture f;
	uint32_t before, between, after;

	start(&f, *state);
	before = cut(&f, FRAMES(WAIT, LEAF));
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF), 1);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, LEAF), ENOUGH);
	between = cut(&f, FRAMES(WAIT, LEAF));
	f.now_ns += 80000;
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF), 1);
	after = cut(&f, FRAMES(WAIT, LEAF));
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, LEAF), 1);
	stitch(&f);
	stays_cut(&f, before), stays_cut(&f, after);
	assert_true(sample(&f, between)->stitched);
	end(&f);
}

/* Two cut stacks that disagree further out than the cut of one of them. */
static void a_caller_that_only_a_cut_stack_shows_counts(void **state)
{
	struct fixture f;
	uint32_t i;

	start(&f, *state);
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF), ENOUGH);
	i = cut(&f, FRAMES(WAIT, LEAF));
	cut(&f, FRAMES({ STRIPPED, 0x8c00 }, WAIT, { RECV, 0x80 }));
	stitch(&f);
	assert_int_equal(f.counts.ambiguous, 1);
	stays_cut(&f, i);
	end(&f);
}

/* Past the budget nothing is known of the frame at the cut. */
static void without_evidence_it_stays_cut(void **state)
{
	struct fixture f;
	uint32_t i;

	start(&f, *state);
	f.w.store.evidence.budget_bytes = 1;
	complete(&f, FRAMES(ROOT, LOOP, LOOP_EVAL, CALL, CALL_EVAL, WAIT, LEAF), ENOUGH);
	i = cut(&f, FRAMES(CALL_EVAL, WAIT, LEAF));
	stitch(&f);
	assert_true(f.w.store.evidence.dropped > 0);
	stays_cut(&f, i);
	end(&f);
}

/* Frames anywhere, in any order, with any CFA: own frames stay as they are. */
static void hostile_stacks_do_no_harm(void **state)
{
	static const uint64_t ips[] = { START_THREAD, PY_RUN, EVAL, PY_RECV, SOCK_RECV,	  RECV,
					STRIPPED,     0x77,   HOOK, 1,	     WORLD_KERNEL };
	static const uint64_t cfas[] = { 0, 8, UINT64_MAX, UINT64_MAX - 7, 1ull << 63, 0x9000 };
	struct fixture f;
	uint32_t seed = 5, leaves[400];

	start(&f, *state);
	for (uint32_t i = 0; i < 400; i++) {
		struct at frames[8] = { 0 };
		size_t n = 1 + (seed >> 9) % 7;

		for (size_t k = 0; k < n; k++) {
			seed = seed * 1103515245u + 12345u;
			frames[k] = (struct at){ ips[(seed >> 12) % 11], cfas[(seed >> 20) % 6] };
		}
		if (frames[0].ip >> 63)
			frames[0].ip = EVAL;
		f.held.slot[seed >> 8 & 7] ^= seed;
		add(&f, 101 + (seed >> 7 & 1), seed >> 10 & 1 ? STACK_COMPLETE : STACK_TRUNCATED,
		    frames);
		leaves[i] = store__leaf(&f.w.store, sample(&f, i)->stack);
	}
	stitch(&f);
	assert_int_equal(f.counts.stitched + f.counts.unseen + f.counts.ambiguous +
				 f.counts.contradicted,
			 f.w.store.evidence.cuts.n);
	for (uint32_t i = 0; i < 400; i++)
		assert_int_equal(store__leaf(&f.w.store, sample(&f, i)->stack), leaves[i]);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_cut_stack_gets_its_callers),
		scratch_test(inner_frames_are_its_own),
		scratch_test(other_threads_functions_and_cfas_do_not_help),
		scratch_test(two_callers_at_equal_cfas_leave_it_cut),
		scratch_test(two_callers_further_out_leave_it_cut),
		scratch_test(two_native_callers_further_out_leave_it_cut),
		scratch_test(one_sighting_is_not_enough),
		scratch_test(one_sighting_is_enough_next_to_what_is_always_there),
		scratch_test(a_second_sighting_there_needs_fewer_stacks),
		scratch_test(what_was_held_must_agree),
		scratch_test(what_was_always_there_may_be_over),
		scratch_test(it_must_have_been_seen_before_and_after),
		scratch_test(a_caller_that_only_a_cut_stack_shows_counts),
		scratch_test(without_evidence_it_stays_cut),
		scratch_test(hostile_stacks_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
