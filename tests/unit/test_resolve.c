// SPDX-License-Identifier: GPL-2.0
/* Names for places, and the merging of Python and native frames. */
#include "tests/unit/world.h"

/* What @mode makes of the stack of @ips. */
static void shown_as(void **state, enum frames_mode mode, bool side_file, const uint64_t *ips,
		     const char *expected)
{
	struct world w;
	uint32_t stack;

	world__init(&w, *state, side_file);
	stack = world__stack(&w, ips);
	/* the evaluator is known by what trampolines call, in any stack of the capture */
	STACK(&w, PY_RUN, EVAL);
	world__resolve(&w, mode);
	assert_string_equal(world__text(&w, resolver__stack(w.resolver, stack, false)), expected);
	world__release(&w);
}

#define IPS(...) ((const uint64_t[]){ __VA_ARGS__, 0 })

/* A thread that receives: the drawing in resolve.h. */
static const uint64_t thread_stack[] = { START_THREAD, VECTORCALL, PY_BOOTSTRAP, EVAL, VECTORCALL,
					 HOOK,	       PY_RUN,	   EVAL,	 RECV, 0 };

static void all_shows_everything(void **state)
{
	shown_as(state, FRAMES_ALL, true, thread_stack,
		 "start_thread > _PyObject_Vectorcall > _bootstrap > _PyEval_EvalFrameDefault > "
		 "_PyObject_Vectorcall > pyframes_eval > Loop.run > _PyEval_EvalFrameDefault > "
		 "recv");
}

static void python_shows_python_frames_only(void **state)
{
	shown_as(state, FRAMES_PYTHON, true, thread_stack, "_bootstrap > Loop.run");
}

static void native_shows_all_but_python_frames(void **state)
{
	shown_as(state, FRAMES_NATIVE, true, thread_stack,
		 "start_thread > _PyObject_Vectorcall > _PyEval_EvalFrameDefault > "
		 "_PyObject_Vectorcall > pyframes_eval > _PyEval_EvalFrameDefault > recv");
}

static void merged_leaves_out_the_machinery(void **state)
{
	shown_as(state, FRAMES_MERGED, true, thread_stack, "_bootstrap > Loop.run > recv");
}

/* Native code between two Python frames is somebody's extension: it stays. */
static void merged_keeps_native_code_between(void **state)
{
	shown_as(state, FRAMES_MERGED, true,
		 IPS(START, PY_BOOTSTRAP, EVAL, STRIPPED, VECTORCALL, PY_RUN, EVAL),
		 "_bootstrap > [stripped.so] > Loop.run");
}

/* At the leaf the interpreter's own functions are where the time goes. */
static void merged_keeps_the_interpreter_at_the_leaf(void **state)
{
	shown_as(state, FRAMES_MERGED, true, IPS(PY_RUN, EVAL, SOCK_RECV, RECV, WORLD_KERNEL),
		 "Loop.run > sock_recv > recv > [kernel]");
	shown_as(state, FRAMES_MERGED, true, IPS(PY_RUN, EVAL), "Loop.run");
	shown_as(state, FRAMES_MERGED, true, IPS(START, PY_RUN), "Loop.run");
}

static void merged_makes_one_of_frames_without_names(void **state)
{
	shown_as(state, FRAMES_MERGED, true, IPS(PY_RUN, EVAL, STRIPPED, STRIPPED_2, STRIPPED),
		 "Loop.run > [stripped.so]");
}

static void without_python_merged_shows_all(void **state)
{
	shown_as(state, FRAMES_MERGED, true, IPS(START, STRIPPED, RECV),
		 "_start > [stripped.so] > recv");
	shown_as(state, FRAMES_MERGED, true, IPS(START_THREAD, VECTORCALL, RECV),
		 "start_thread > _PyObject_Vectorcall > recv");
}

static void without_python_python_mode_says_so(void **state)
{
	shown_as(state, FRAMES_PYTHON, true, IPS(START, RECV), "[no Python]");
}

static void tasks_are_python_frames(void **state)
{
	shown_as(state, FRAMES_PYTHON, true, IPS(PY_RUN, EVAL, PY_TASK, EVAL, PY_RECV, EVAL),
		 "Loop.run > poll vehicle [task] > recv");
}

/* Without the side file the trampoline file's own symbols name the functions. */
static void symbols_stand_in_for_the_side_file(void **state)
{
	shown_as(state, FRAMES_PYTHON, false, IPS(PY_BOOTSTRAP, EVAL, PY_RUN, EVAL, PY_TASK, EVAL),
		 "_bootstrap > Loop.run > poll vehicle [task]");
}

static void a_cut_stack_begins_with_a_note(void **state)
{
	struct world w;
	uint32_t stack;

	world__init(&w, *state, true);
	stack = STACK(&w, PY_RUN, EVAL, RECV);
	world__resolve(&w, FRAMES_MERGED);
	assert_string_equal(world__text(&w, resolver__stack(w.resolver, stack, true)),
			    "[stack cut] > Loop.run > recv");
	assert_string_equal(world__text(&w, resolver__stack(w.resolver, stack, false)),
			    "Loop.run > recv");
	assert_int_equal(resolver__stack(w.resolver, STORE_NO_STACK, false), RESOLVE_NO_STACK);
	world__release(&w);
}

static const struct frame *leaf_of(const struct world *w, uint32_t resolved)
{
	const struct resolved *r = resolver__resolved(w->resolver);

	return &r->frames.data[resolved__leaf(r, resolved)];
}

static void frames_know_where_they_are_from(void **state)
{
	struct world w;
	uint32_t python, task, native, unknown, kernel;
	const struct resolved *r;
	const struct frame *f;

	world__init(&w, *state, true);
	python = STACK(&w, PY_RUN);
	task = STACK(&w, PY_TASK);
	native = STACK(&w, RECV);
	unknown = STACK(&w, STRIPPED);
	kernel = STACK(&w, WORLD_KERNEL);
	world__resolve(&w, FRAMES_ALL);
	r = resolver__resolved(w.resolver);
	f = leaf_of(&w, resolver__stack(w.resolver, python, false));
	assert_int_equal(f->kind, FRAME_PYTHON);
	assert_string_equal(strtab__get(&r->strings, f->file), "/app/loop.py");
	assert_int_equal(f->first_line, 20);
	assert_true(f->named);
	assert_int_equal(leaf_of(&w, resolver__stack(w.resolver, task, false))->kind, FRAME_TASK);
	f = leaf_of(&w, resolver__stack(w.resolver, native, false));
	assert_int_equal(f->kind, FRAME_NATIVE);
	assert_int_equal(f->first_line, 0);
	assert_true(f->named);
	f = leaf_of(&w, resolver__stack(w.resolver, unknown, false));
	assert_int_equal(f->kind, FRAME_NATIVE);
	assert_false(f->named);
	assert_int_equal(leaf_of(&w, resolver__stack(w.resolver, kernel, false))->kind,
			 FRAME_KERNEL);
	world__release(&w);
}

/* A call that is a function's last instruction returns behind it: the caller is the
 * function that called, not the next one in the file. */
static void return_addresses_are_looked_up_before_them(void **state)
{
	struct world w;
	uint32_t process, stack;
	struct place p;

	world__init(&w, *state, true);
	process = 0;					    /* the only one */
	p = machine__user_place(&w.machine, process, RECV); /* = the end of start_thread */
	stack = store__push(&w.store, STORE_NO_STACK, store__location(&w.store, p, true));
	stack = store__push(&w.store, stack, store__location(&w.store, p, false));
	world__resolve(&w, FRAMES_ALL);
	assert_string_equal(world__text(&w, resolver__stack(w.resolver, stack, false)),
			    "start_thread > recv");
	world__release(&w);
}

static void equal_stacks_have_equal_ids(void **state)
{
	struct world w;
	uint32_t one, two;

	world__init(&w, *state, true);
	one = STACK(&w, START, PY_RUN, EVAL, RECV);
	two = STACK(&w, START_THREAD, PY_RUN, EVAL, VECTORCALL, RECV);
	world__resolve(&w, FRAMES_PYTHON);
	assert_int_not_equal(one, two);
	assert_int_equal(resolver__stack(w.resolver, one, false),
			 resolver__stack(w.resolver, two, false));
	world__release(&w);
}

static void threads_have_their_python_names(void **state)
{
	struct world w;

	world__init(&w, *state, true);
	world__fork(&w, WORLD_PID, 101, 5);
	world__fork(&w, WORLD_PID, 102, 6);
	world__resolve(&w, FRAMES_ALL);
	assert_string_equal(python__thread_name(w.python,
						machine__thread(&w.machine, WORLD_PID, 101)),
			    "MavLinkExternalProxy-Recv");
	assert_null(python__thread_name(w.python, machine__thread(&w.machine, WORLD_PID, 102)));
	assert_int_equal(python__version(w.python), 0x030b02f0);
	assert_int_equal(python__files(w.python).side.read, 1);
	assert_int_equal(python__files(w.python).side.missing, 0);
	assert_int_equal(python__files(w.python).side.broken, 0);
	world__release(&w);
}

static void a_missing_side_file_is_counted(void **state)
{
	struct world w;

	world__init(&w, *state, false);
	world__resolve(&w, FRAMES_ALL);
	assert_int_equal(python__files(w.python).side.read, 0);
	assert_int_equal(python__files(w.python).side.missing, 1);
	assert_string_equal(python__broken(w.python), "");
	assert_int_equal(python__version(w.python), 0);
	world__release(&w);
}

static void other_code_is_no_python_frame(void **state)
{
	struct python_frame f;
	struct world w;
	uint32_t process;

	world__init(&w, *state, true);
	process = 0; /* the only one */
	world__resolve(&w, FRAMES_ALL);
	assert_false(python__frame(w.python, machine__user_place(&w.machine, process, EVAL), &f));
	assert_false(
		python__frame(w.python, machine__user_place(&w.machine, process, PY_UNNAMED), &f));
	assert_false(python__frame(w.python, machine__kernel_place(WORLD_KERNEL), &f));
	assert_true(python__frame(w.python, machine__user_place(&w.machine, process, PY_TASK), &f));
	assert_true(f.task);
	assert_string_equal(f.name, "poll vehicle");
	world__release(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(all_shows_everything),
		scratch_test(python_shows_python_frames_only),
		scratch_test(native_shows_all_but_python_frames),
		scratch_test(merged_leaves_out_the_machinery),
		scratch_test(merged_keeps_native_code_between),
		scratch_test(merged_keeps_the_interpreter_at_the_leaf),
		scratch_test(merged_makes_one_of_frames_without_names),
		scratch_test(without_python_merged_shows_all),
		scratch_test(without_python_python_mode_says_so),
		scratch_test(tasks_are_python_frames),
		scratch_test(symbols_stand_in_for_the_side_file),
		scratch_test(a_cut_stack_begins_with_a_note),
		scratch_test(frames_know_where_they_are_from),
		scratch_test(return_addresses_are_looked_up_before_them),
		scratch_test(equal_stacks_have_equal_ids),
		scratch_test(threads_have_their_python_names),
		scratch_test(a_missing_side_file_is_counted),
		scratch_test(other_code_is_no_python_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
