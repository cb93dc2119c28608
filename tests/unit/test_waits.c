// SPDX-License-Identifier: GPL-2.0
/* Reasons and stacks of waits, and the timelines made of them. */
#include "perfconv/resolve/waits.h"

#include "perfconv/profile/wall.h"
#include "perfconv/store/activation.h"
#include "perfconv/unwind/regs_key.h"
#include "tests/unit/world.h"

#define SP 0x7ffc00001000u
#define REGISTERS 6u
#define DIGEST_BITS 13u
#define NANOSLEEP (WORLD_KERNEL + 0x1000)
#define FUTEX (WORLD_KERNEL + 0x2000)
#define RUNTIME 0x900000u /* _PyRuntime, as the side file says */
#define END_NS 10000u

struct waiting {
	struct world world;
	struct switches switches;
	struct waits *waits;
	struct waits_sources sources;
	uint32_t thread;
	bool unseen; /* nobody saw the wait begin that is asked for */
};

static void begin(struct waiting *w, const char *folder)
{
	memset(w, 0, sizeof(*w));
	world__init(&w->world, folder, true);
	dsos__add_kernel_symbol(&w->world.machine.dsos, NANOSLEEP, 0x100, "do_nanosleep");
	dsos__add_kernel_symbol(&w->world.machine.dsos, FUTEX, 0x100, "futex_wait_queue");
	w->switches.registers = REGISTERS;
	w->thread = machine__thread(&w->world.machine, WORLD_PID, WORLD_PID);
}

static void end(struct waiting *w)
{
	waits__free(w->waits);
	switches__release(&w->switches);
	world__release(&w->world);
}

/* A key with these values in two of its registers, the same in all others. */
static uint32_t regs(struct waiting *w, uint64_t first, uint64_t second, uint64_t sp)
{
	uint64_t words[2] = { first | second << DIGEST_BITS | 5ull << 2 * DIGEST_BITS, sp };

	return switches__regs(&w->switches, words);
}

/* @function: of the kernel; the user's code is in recv(). */
static uint32_t place(struct waiting *w, uint64_t function, uint32_t key, uint64_t argument)
{
	struct switch_place p = { .regs = key, .argument = argument };

	p.stack = STACK(&w->world, RECV);
	p.stack = store__push(&w->world.store, p.stack,
			      store__location(&w->world.store, machine__kernel_place(function + 8),
					      false));
	return switches__place(&w->switches, p);
}

static void wait_between(struct waiting *w, uint64_t out_ns, uint64_t in_ns, uint32_t at)
{
	switches__out(&w->switches, out_ns, w->thread, SWITCH_BY_TRACEPOINT, false, at);
	switches__in(&w->switches, in_ns, w->thread);
}

/* The same switch is dumped too, with this stack. */
static void dump(struct waiting *w, uint64_t time_ns, uint32_t key, uint32_t stack)
{
	vec__push(&w->switches.dumps,
		  ((struct switch_dump){ (uint32_t)w->world.store.samples.n, key }));
	world__sample(&w->world, WORLD_PID, WORLD_PID, time_ns, 1, stack);
	w->world.store.samples.data[w->world.store.samples.n - 1].event = 1;
}

static void resolve(struct waiting *w, enum frames_mode mode)
{
	world__resolve(&w->world, mode);
	w->sources = (struct waits_sources){
		.store = &w->world.store,
		.switches = &w->switches,
		.machine = &w->world.machine,
		.images = &w->world.images,
		.symbols = w->world.symbols,
		.python = w->world.python,
		.resolver = w->world.resolver,
		.threads = w->sources.threads,
		.monotonic = true,
		.chains_trusted = w->sources.chains_trusted,
	};
	w->waits = waits__new(&w->sources);
}

/* How the wait between two times is shown. */
static const char *shown(struct waiting *w, uint64_t out_ns, uint64_t back_ns, uint32_t at,
			 enum wait_stack how)
{
	struct interval i = { .start_ns = out_ns,
			      .end_ns = back_ns,
			      .state = THREAD_WAITING,
			      .unseen = w->unseen,
			      .place = at,
			      .out_ns = out_ns,
			      .back_ns = back_ns };
	struct wait found = waits__find(w->waits, w->thread, &i);

	assert_int_equal(found.how, how);
	return world__text(&w->world, found.stack);
}

#define RECV_STACK(w) STACK(&(w)->world, START, PY_RUN, EVAL, PY_RECV, EVAL, SOCK_RECV, RECV)
#define TASK_STACK(w) STACK(&(w)->world, START, PY_RUN, EVAL, PY_TASK, EVAL, SOCK_RECV, RECV)

static void equal_registers_give_the_stack(void **state)
{
	struct waiting w;
	uint32_t key, at;

	begin(&w, *state);
	key = regs(&w, 1, 2, SP);
	at = place(&w, NANOSLEEP, key, 0);
	wait_between(&w, 100, 200, at);
	wait_between(&w, 500, 600, at);
	dump(&w, 501, key, RECV_STACK(&w));
	resolve(&w, FRAMES_MERGED);
	assert_string_equal(shown(&w, 100, 200, at, WAIT_EQUAL),
			    "Loop.run > recv > sock_recv > recv > [sleep]");
	end(&w);
}

static void the_kernels_chain_is_shown_with_all_frames(void **state)
{
	struct waiting w;
	uint32_t key, at, dumped;

	begin(&w, *state);
	key = regs(&w, 1, 2, SP);
	at = place(&w, NANOSLEEP, key, 0);
	wait_between(&w, 100, 200, at);
	dumped = STACK(&w.world, START, RECV);
	dumped = store__push(&w.world.store, dumped,
			     store__location(&w.world.store, machine__kernel_place(FUTEX + 8),
					     false));
	dump(&w, 101, key, dumped); /* the switch's own kernel part is shown */
	resolve(&w, FRAMES_ALL);
	assert_string_equal(shown(&w, 100, 200, at, WAIT_EQUAL),
			    "_start > recv > do_nanosleep > [sleep]");
	end(&w);
}

/* Some register holds a deadline: its value never repeats. */
static void a_register_that_never_repeats_is_left_out(void **state)
{
	struct waiting w;
	uint32_t at[6];

	begin(&w, *state);
	for (uint32_t i = 0; i < 6; i++) {
		at[i] = place(&w, NANOSLEEP, regs(&w, 100 + i, 2, SP), 0);
		wait_between(&w, 100 + 100 * i, 150 + 100 * i, at[i]);
	}
	dump(&w, 301, regs(&w, 102, 2, SP), RECV_STACK(&w));
	resolve(&w, FRAMES_PYTHON);
	assert_string_equal(shown(&w, 600, 650, at[5], WAIT_EQUAL), "Loop.run > recv > [sleep]");
	end(&w);
}

/* A timeout: few values, but they change while the stack does not. */
static void a_register_that_changes_in_one_stack_is_left_out(void **state)
{
	struct waiting w;
	uint32_t at[12];

	begin(&w, *state);
	for (uint32_t i = 0; i < 12; i++) {
		at[i] = place(&w, NANOSLEEP, regs(&w, i % 4, 2, SP), 0);
		wait_between(&w, 100 + 100 * i, 150 + 100 * i, at[i]);
	}
	for (uint32_t i = 0; i < 3; i++)
		dump(&w, 101 + 100 * i, regs(&w, i, 2, SP), RECV_STACK(&w));
	resolve(&w, FRAMES_PYTHON);
	assert_string_equal(shown(&w, 800, 850, at[7], WAIT_EQUAL), "Loop.run > recv > [sleep]");
	end(&w);
}

/* A register that does repeat tells calls apart. */
static void another_value_is_another_call(void **state)
{
	struct waiting w;
	uint32_t at[6];

	begin(&w, *state);
	for (uint32_t i = 0; i < 6; i++) {
		at[i] = place(&w, NANOSLEEP, regs(&w, 100 + i, i % 2, SP), 0);
		wait_between(&w, 100 + 100 * i, 150 + 100 * i, at[i]);
	}
	dump(&w, 301, regs(&w, 102, 0, SP), RECV_STACK(&w));
	resolve(&w, FRAMES_PYTHON);
	assert_string_equal(shown(&w, 500, 550, at[4], WAIT_EQUAL), "Loop.run > recv > [sleep]");
	(void)shown(&w, 600, 650, at[5], WAIT_NONE);
	end(&w);
}

static void another_stack_pointer_is_another_call(void **state)
{
	struct waiting w;
	uint32_t at;

	begin(&w, *state);
	at = place(&w, NANOSLEEP, regs(&w, 1, 2, SP - 64), 0);
	wait_between(&w, 100, 200, at);
	dump(&w, 501, regs(&w, 1, 2, SP), RECV_STACK(&w));
	resolve(&w, FRAMES_PYTHON);
	(void)shown(&w, 100, 200, at, WAIT_NONE);
	end(&w);
}

/* Twin calls with equal registers: believed only where both neighbours agree. */
static void dumps_that_disagree_are_not_believed(void **state)
{
	struct waiting w;
	uint32_t key, at;

	begin(&w, *state);
	key = regs(&w, 1, 2, SP);
	at = place(&w, NANOSLEEP, key, 0);
	dump(&w, 100, key, RECV_STACK(&w));
	dump(&w, 300, key, RECV_STACK(&w));
	dump(&w, 500, key, TASK_STACK(&w));
	for (uint64_t t = 100; t <= 600; t += 100)
		wait_between(&w, t, t + 50, at);
	resolve(&w, FRAMES_PYTHON);
	(void)shown(&w, 200, 250, at, WAIT_NONE); /* though the dumps beside it agree */
	(void)shown(&w, 400, 450, at, WAIT_NONE);
	(void)shown(&w, 600, 650, at, WAIT_NONE);
	assert_string_equal(shown(&w, 500, 550, at, WAIT_EQUAL),
			    "Loop.run > poll vehicle [task] > [sleep]"); /* its own */
	end(&w);
}

/* A small copy at each switch tells callers apart that have equal registers. */
static void its_own_part_tells_which_dump_is_alike(void **state)
{
	struct waiting w;
	uint32_t key, at;

	begin(&w, *state);
	key = regs(&w, 1, 2, SP);
	at = place(&w, NANOSLEEP, key, 0);
	dump(&w, 101, key, RECV_STACK(&w));
	dump(&w, 301, key, TASK_STACK(&w));
	dump(&w, 501, key, STACK(&w.world, PY_TASK, EVAL, SOCK_RECV, RECV));
	dump(&w, 701, key, STACK(&w.world, SOCK_RECV, RECV));
	w.world.store.samples.data[2].ending = STACK_TRUNCATED;
	w.world.store.samples.data[3].ending = STACK_TRUNCATED;
	for (uint64_t t = 100; t <= 700; t += 200)
		wait_between(&w, t, t + 50, at);
	resolve(&w, FRAMES_PYTHON);
	assert_string_equal(shown(&w, 500, 550, at, WAIT_EQUAL),
			    "Loop.run > poll vehicle [task] > [sleep]");
	(void)shown(&w, 700, 750, at, WAIT_CUT); /* ends before they part */
	end(&w);
}

static void a_cut_dump_says_so(void **state)
{
	struct waiting w;
	uint32_t key, at;

	begin(&w, *state);
	key = regs(&w, 1, 2, SP);
	at = place(&w, NANOSLEEP, key, 0);
	wait_between(&w, 100, 200, at);
	dump(&w, 101, key, STACK(&w.world, PY_RECV, EVAL, RECV));
	w.world.store.samples.data[0].ending = STACK_TRUNCATED;
	resolve(&w, FRAMES_PYTHON);
	assert_string_equal(shown(&w, 100, 200, at, WAIT_CUT), "[stack cut] > recv > [sleep]");
	end(&w);
}

static void the_gil_is_told_by_its_address(void **state)
{
	struct waiting w;
	uint32_t gil, lock, key;

	begin(&w, *state);
	key = regs(&w, 1, 2, SP);
	gil = place(&w, FUTEX, key, RUNTIME + 0x40);
	lock = place(&w, FUTEX, key, RUNTIME + 0x10000);
	resolve(&w, FRAMES_PYTHON);
	assert_contains(shown(&w, 100, 200, gil, WAIT_NONE), "[GIL wait]");
	assert_contains(shown(&w, 100, 200, lock, WAIT_NONE), "[lock]");
	end(&w);
}

static void a_snapshot_inside_gives_the_python_stack(void **state)
{
	struct waiting w;
	uint32_t at;

	begin(&w, *state);
	at = place(&w, NANOSLEEP, regs(&w, 1, 2, SP), 0);
	wait_between(&w, 100, 2000, at); /* the world's snapshot is of 1000 */
	resolve(&w, FRAMES_MERGED);
	assert_string_equal(shown(&w, 100, 2000, at, WAIT_SNAPSHOT),
			    "_bootstrap > Loop.run > [sleep]");
	(void)shown(&w, 100, 999, at, WAIT_NONE);
	(void)shown(&w, 1001, 2000, at, WAIT_NONE);
	end(&w);
}

/* Only how the C library starts a thread is missing, which those views do not show. */
static void a_cut_dump_with_all_of_python_is_whole(void **state)
{
	static const enum frames_mode modes[] = { FRAMES_PYTHON, FRAMES_MERGED, FRAMES_ALL };

	for (size_t i = 0; i < 3; i++) {
		struct waiting w;
		uint32_t key, at;

		begin(&w, *state);
		key = regs(&w, 1, 2, SP);
		at = place(&w, NANOSLEEP, key, 0);
		wait_between(&w, 3000, 4000, at);
		dump(&w, 3001, key, STACK(&w.world, PY_BOOTSTRAP, EVAL, PY_RECV, EVAL, RECV));
		w.world.store.samples.data[0].ending = STACK_TRUNCATED;
		resolve(&w, modes[i]);
		if (modes[i] == FRAMES_PYTHON)
			assert_string_equal(shown(&w, 3000, 4000, at, WAIT_EQUAL),
					    "_bootstrap > recv > [sleep]");
		else
			(void)shown(&w, 3000, 4000, at,
				    modes[i] == FRAMES_ALL ? WAIT_CUT : WAIT_EQUAL);
		end(&w);
	}
}

/* And where a dump is wrong once, others that look the same are not believed either. */
static void a_snapshot_overrules_dumps_that_differ(void **state)
{
	struct interval i = { .start_ns = 100, .end_ns = 2000, .state = THREAD_WAITING };
	struct waiting w;
	uint32_t key, at;

	begin(&w, *state);
	key = regs(&w, 1, 2, SP);
	at = place(&w, NANOSLEEP, key, 0);
	wait_between(&w, 100, 2000, at);
	wait_between(&w, 3000, 4000, at);
	wait_between(&w, 5000, 6000, at);
	dump(&w, 3001, key, RECV_STACK(&w));
	resolve(&w, FRAMES_MERGED);
	(void)shown(&w, 5000, 6000, at, WAIT_EQUAL);
	i.out_ns = i.start_ns;
	i.back_ns = i.end_ns;
	i.place = at;
	waits__learn(w.waits, w.thread, &i);
	assert_int_equal(waits__contradicted(w.waits), 1);
	assert_string_equal(shown(&w, 100, 2000, at, WAIT_SNAPSHOT),
			    "_bootstrap > Loop.run > [sleep]");
	(void)shown(&w, 5000, 6000, at, WAIT_NONE);
	(void)shown(&w, 3000, 4000, at, WAIT_EQUAL); /* its own */
	end(&w);
}

/* A whole stack of the thread at a time: run called at 100, then @leaf deeper. */
static void whole_stack(struct waiting *w, uint64_t time_ns, uint64_t leaf)
{
	struct store *s = &w->world.store;
	uint32_t stack = STACK(&w->world, START, PY_BOOTSTRAP, PY_RUN, leaf);
	uint32_t activation = STORE_NO_ACTIVATION;
	uint32_t locations[4], n = 0;

	for (uint32_t at = stack; at != STORE_NO_STACK; at = store__parent(s, at))
		locations[n++] = store__leaf(s, at);
	while (n--)
		activation = store__activation(s, activation, locations[n], SP + 64 * (n + 1));
	world__sample(&w->world, WORLD_PID, WORLD_PID, time_ns, 1, stack);
	s->samples.data[s->samples.n - 1].activation = activation;
}

static void outer_frames_that_live_on_are_shown(void **state)
{
	struct waiting w;
	uint32_t at, deep, high;

	begin(&w, *state);
	at = place(&w, NANOSLEEP, regs(&w, 1, 2, SP), 0);
	deep = place(&w, NANOSLEEP, regs(&w, 1, 2, SP + 128), 0);
	high = place(&w, NANOSLEEP, regs(&w, 1, 2, SP + 640), 0);
	whole_stack(&w, 500, EVAL); /* the world's snapshot, of 1000, says the same */
	whole_stack(&w, 6000, RECV);
	resolve(&w, FRAMES_ALL);
	assert_string_equal(shown(&w, 4000, 5000, at, WAIT_OUTER),
			    "_start > _bootstrap > Loop.run > [shortened] > [sleep]");
	assert_string_equal(shown(&w, 4000, 5000, deep, WAIT_OUTER),
			    "_start > _bootstrap > [shortened] > [sleep]"); /* run has gone */
	(void)shown(&w, 4000, 5000, high, WAIT_NONE);
	(void)shown(&w, 7000, 8000, at, WAIT_NONE); /* nothing after it */
	end(&w);
}

/* All dumps show recv, and a snapshot does not: it may be missing at other times too. */
static void outer_frames_that_a_snapshot_lacks_are_not_shown(void **state)
{
	struct waiting w;
	uint32_t at;

	begin(&w, *state);
	at = place(&w, NANOSLEEP, regs(&w, 1, 2, SP), 0);
	whole_stack(&w, 500, PY_RECV);
	whole_stack(&w, 6000, PY_RECV);
	resolve(&w, FRAMES_PYTHON);
	assert_string_equal(shown(&w, 4000, 5000, at, WAIT_OUTER),
			    "_bootstrap > Loop.run > [shortened] > [sleep]");
	end(&w);
}

static void a_callchain_is_enough_with_frame_pointers(void **state)
{
	struct switch_place p = { .regs = SWITCH_NO_REGS };
	struct waiting w;

	begin(&w, *state);
	p.stack = STACK(&w.world, START, RECV, NANOSLEEP);
	w.sources.chains_trusted = true;
	resolve(&w, FRAMES_MERGED);
	assert_string_equal(shown(&w, 100, 200, switches__place(&w.switches, p), WAIT_CHAIN),
			    "_start > recv > [sleep]");
	end(&w);
}

/* A sleep that began before the capture: /proc said what it is. */
static void proc_tells_of_waits_that_nobody_saw_begin(void **state)
{
	static const char text[] =
		"{\"version\":1,\"snapshots\":[{\"when\":\"start\",\"time_ns\":50,\"threads\":["
		"{\"pid\":100,\"tid\":100,\"state\":\"S\",\"stack\":[\"do_nanosleep\"]}]}]}";
	struct threads_file *file;
	struct waiting w;

	begin(&w, *state);
	assert_int_equal(threads_file__open(
				 &file, scratch__write(*state, "t.json", text, strlen(text)), NULL),
			 0);
	w.sources.threads = file;
	resolve(&w, FRAMES_PYTHON);
	assert_string_equal(shown(&w, 10, 200, SWITCH_NO_PLACE, WAIT_NONE), "[sleep]");
	assert_string_equal(shown(&w, 100, 200, SWITCH_NO_PLACE, WAIT_NONE), "[waiting]");
	w.unseen = true; /* the capture began after the look at the threads */
	assert_string_equal(shown(&w, 100, 200, SWITCH_NO_PLACE, WAIT_NONE), "[sleep]");
	threads_file__free(file);
	end(&w);
}

/* "120 name > name, ...": the slices of the main thread. */
static const char *slices(struct waiting *w, struct profile *p)
{
	static char text[2048];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < p->threads.data[0].slices.n; i++) {
		const struct profile_slice *s = &p->threads.data[0].slices.data[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u %s", i ? ", " : "",
					 (unsigned int)s->weight, world__text(&w->world, s->stack));
	}
	return text;
}

static struct profile *wall(struct waiting *w, bool waits_shown)
{
	static char name[] = "cpu-clock";
	static const struct perfdata_event event = { .name = name, .type = 1 };
	struct wall_sources from = {
		.event = &event,
		.store = &w->world.store,
		.switches = &w->switches,
		.machine = &w->world.machine,
		.python = w->world.python,
		.threads = w->sources.threads,
		.resolver = w->world.resolver,
		.waits = w->waits,
		.capture = { 1000, 2000 },
		.window = { 1000, 2000 },
		.waits_shown = waits_shown,
		.monotonic = true,
	};

	return wall__new(&from);
}

/* The drawing in wall.h. */
static void samples_stand_for_the_time_since_the_one_before(void **state)
{
	struct waiting w;
	struct profile *p;
	uint32_t at;

	begin(&w, *state);
	at = place(&w, NANOSLEEP, regs(&w, 1, 2, SP), 0);
	world__sample(&w.world, WORLD_PID, WORLD_PID, 1100, 1, STACK(&w.world, START));
	wait_between(&w, 1200, 1300, at);
	world__sample(&w.world, WORLD_PID, WORLD_PID, 1350, 1, STACK(&w.world, RECV));
	wait_between(&w, 1400, 1900, at);
	resolve(&w, FRAMES_ALL);
	p = wall(&w, true);
	assert_string_equal(slices(&w, p), "100 _start, 100 recv, "
					   "100 [stack cut] > recv > do_nanosleep > [sleep], "
					   "100 recv, "
					   "500 [stack cut] > recv > do_nanosleep > [sleep], "
					   "100 [running]");
	assert_int_equal(p->threads.data[0].weight, 400);
	assert_int_equal(p->threads.data[0].times.off, 600);
	assert_int_equal(p->threads.data[0].times.unsampled, 100);
	assert_int_equal(p->threads.data[0].times.reasons[REASON_SLEEP], 600);
	assert_int_equal(p->threads.data[0].end, 1000);
	profile__free(p);
	p = wall(&w, false);
	assert_string_equal(slices(&w, p), "100 _start, 100 recv, 100 -, 100 recv, 500 -, "
					   "100 [running]");
	assert_int_equal(p->threads.data[0].weight, 400);
	profile__free(p);
	end(&w);
}

/* The kernel counts 20 ns more at each of two returns. */
static struct threads_file *kernels_counts(const char *folder)
{
	static const char text[] =
		"{\"version\":1,\"snapshots\":["
		"{\"when\":\"start\",\"time_ns\":1000,\"threads\":[{\"pid\":100,\"tid\":100,"
		"\"state\":\"S\",\"schedstat\":[5000,10,1]}]},"
		"{\"when\":\"end\",\"time_ns\":2000,\"threads\":[{\"pid\":100,\"tid\":100,"
		"\"state\":\"S\",\"schedstat\":[5440,17,9]}]}]}";
	struct threads_file *file;

	assert_int_equal(threads_file__open(
				 &file, scratch__write(folder, "t.json", text, strlen(text)), NULL),
			 0);
	return file;
}

static void what_the_kernel_counts_beside_is_switching(void **state)
{
	const struct profile_times *t;
	struct waiting w;
	struct profile *p;
	uint32_t at;

	begin(&w, *state);
	w.sources.threads = kernels_counts(*state);
	at = place(&w, NANOSLEEP, regs(&w, 1, 2, SP), 0);
	wait_between(&w, 1200, 1300, at);
	wait_between(&w, 1400, 1900, at);
	resolve(&w, FRAMES_PYTHON);
	p = wall(&w, true);
	t = &p->threads.data[0].times;
	assert_int_equal(p->threads.data[0].weight, 440);
	assert_int_equal(t->switching, 40);
	assert_int_equal(t->off, 560);
	assert_int_equal(t->schedstat_run, 440);
	assert_int_equal(t->schedstat_on_cpu, 440);
	assert_int_equal(t->schedstat_queue, 7);
	assert_contains(slices(&w, p), "80 [stack cut] > [no Python] > [sleep], "
				       "20 [stack cut] > [no Python] > [switching], ");
	profile__free(p);
	threads_file__free((struct threads_file *)w.sources.threads);
	end(&w);
}

/* What ran while records were lost is no switching. */
static void with_losses_nobody_knows_what_switching_took(void **state)
{
	const struct profile_times *t;
	struct waiting w;
	struct profile *p;
	uint32_t at;

	begin(&w, *state);
	w.sources.threads = kernels_counts(*state);
	at = place(&w, NANOSLEEP, regs(&w, 1, 2, SP), 0);
	wait_between(&w, 1200, 1300, at);
	switches__lost(&w.switches, 1310, 1350);
	wait_between(&w, 1400, 1900, at);
	resolve(&w, FRAMES_PYTHON);
	p = wall(&w, true);
	t = &p->threads.data[0].times;
	assert_int_equal(t->switching, 0);
	assert_int_equal(t->off, 600);
	assert_int_equal(t->unknown, 90);
	assert_int_equal(p->threads.data[0].weight, 310);
	assert_int_equal(t->schedstat_run, 440);
	assert_int_equal(t->schedstat_on_cpu, 0);
	profile__free(p);
	threads_file__free((struct threads_file *)w.sources.threads);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(equal_registers_give_the_stack),
		scratch_test(the_kernels_chain_is_shown_with_all_frames),
		scratch_test(a_register_that_never_repeats_is_left_out),
		scratch_test(a_register_that_changes_in_one_stack_is_left_out),
		scratch_test(another_value_is_another_call),
		scratch_test(another_stack_pointer_is_another_call),
		scratch_test(dumps_that_disagree_are_not_believed),
		scratch_test(its_own_part_tells_which_dump_is_alike),
		scratch_test(a_cut_dump_says_so),
		scratch_test(the_gil_is_told_by_its_address),
		scratch_test(a_snapshot_inside_gives_the_python_stack),
		scratch_test(a_cut_dump_with_all_of_python_is_whole),
		scratch_test(a_snapshot_overrules_dumps_that_differ),
		scratch_test(outer_frames_that_live_on_are_shown),
		scratch_test(outer_frames_that_a_snapshot_lacks_are_not_shown),
		scratch_test(a_callchain_is_enough_with_frame_pointers),
		scratch_test(proc_tells_of_waits_that_nobody_saw_begin),
		scratch_test(samples_stand_for_the_time_since_the_one_before),
		scratch_test(what_the_kernel_counts_beside_is_switching),
		scratch_test(with_losses_nobody_knows_what_switching_took),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
