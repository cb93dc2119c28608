// SPDX-License-Identifier: GPL-2.0
#include "perfconv/profile/profile_file.h"

#include <errno.h>

#include "tests/unit/support.h"

#define META                                                                                       \
	"\"perfconv\":{\"durationSeconds\":2.5,\"event\":\"oncpu\",\"frames\":\"merged\","         \
	"\"view\":\"wall\",\"scenario\":\"idle\",\"python\":{\"version\":\"3.11.2\"},"             \
	"\"events\":[{\"name\":\"x\",\"period\":1},{\"name\":\"oncpu\",\"frequencyHz\":100}]}"
#define SHARED                                                                                     \
	"\"shared\":{\"frames\":[{\"name\":\"run\",\"file\":\"a.py\",\"line\":7,\"firstLine\":7,"  \
	"\"kind\":\"python\"},{\"name\":\"read\",\"object\":\"/lib/c.so\",\"kind\":\"native\"},"   \
	"{\"name\":\"[poll]\",\"kind\":\"note\"},{\"name\":\"[switching]\",\"kind\":\"note\"},"    \
	"{\"name\":\"[c.so]\",\"kind\":\"native\"}]}"
#define THREAD                                                                                     \
	"{\"type\":\"sampled\",\"name\":\"worker\",\"unit\":\"nanoseconds\",\"startValue\":0,"     \
	"\"perfconv\":{\"pid\":5,\"tid\":6,\"comm\":\"w\",\"samples\":3,\"times\":{\"onCpuNs\":1," \
	"\"offCpuNs\":40,\"reasonsNs\":{\"[poll]\":40},\"waitStacksNs\":{\"equalRegisters\":40},"  \
	"\"schedstatRunNs\":9},\"stacks\":{\"complete\":2,\"asCaptured\":1,\"stitched\":1}},"      \
	"\"samples\":[[0,1],[0,2],[0,3],[],[0,1]],\"weights\":[10,40,5,100,1]}"
#define TOTAL                                                                                      \
	"{\"type\":\"sampled\",\"name\":\"all threads\",\"unit\":\"nanoseconds\","                 \
	"\"perfconv\":{\"threads\":1},\"samples\":[[0,1]],\"weights\":[11]}"
#define OTHER                                                                                      \
	"{\"type\":\"sampled\",\"name\":\"worker [faults]\",\"unit\":\"none\","                    \
	"\"perfconv\":{\"event\":\"faults\",\"pid\":5,\"tid\":6},\"samples\":[[4]],\"weights\":[2]}"
#define PROFILES "\"profiles\":[" THREAD "," TOTAL "," OTHER "]"

static int open_text(const char *folder, const char *text, struct profile_file **f,
		     struct errbuf *err)
{
	return profile_file__open(f, scratch__write(folder, "p.json", text, strlen(text)), err);
}

static struct profile_file *opened(const char *folder, const char *text)
{
	struct profile_file *f = NULL;
	struct errbuf err;

	assert_int_equal(open_text(folder, text, &f, &err), 0);
	return f;
}

static void check_whole(struct profile_file *f)
{
	const struct profile *p = f->profile;
	const struct profile_thread *t = &p->threads.data[0];
	const struct frame *frames = f->resolved.frames.data;

	assert_string_equal(f->title, "a title");
	assert_string_equal(f->scenario, "idle");
	assert_string_equal(f->python, "3.11.2");
	assert_string_equal(f->frames, "merged");
	assert_int_equal(f->period_ns, 10000000);
	assert_int_equal(p->duration, 2500000000);
	assert_true(p->timed && p->exact && p->waits);
	assert_int_equal(p->threads.n, 1); /* neither the total nor another event's */
	assert_string_equal(t->name, "worker");
	assert_string_equal(t->comm, "w");
	assert_int_equal(t->pid, 5);
	assert_int_equal(t->tid, 6);
	assert_true(t->python);
	assert_int_equal(t->samples, 3);
	assert_int_equal(t->weight, 16); /* neither the wait nor the gap */
	assert_int_equal(t->end, 156);
	assert_int_equal(t->endings[STACK_COMPLETE], 2);
	assert_int_equal(t->endings[STACK_CHAIN], 1);
	assert_int_equal(t->stitched, 1);
	assert_int_equal(t->times.off, 40);
	assert_int_equal(t->times.reasons[REASON_POLL], 40);
	assert_int_equal(t->times.stacks[WAIT_EQUAL], 40);
	assert_true(t->times.has_schedstat);
	assert_int_equal(t->slices.n, 5);
	assert_true(t->slices.data[1].off);
	assert_false(t->slices.data[2].off); /* [switching] is on-CPU time */
	assert_int_equal(t->slices.data[3].stack, RESOLVE_NO_STACK);
	assert_int_equal(t->slices.data[0].stack, t->slices.data[4].stack);
	assert_int_equal(resolved__leaf(&f->resolved, t->slices.data[0].stack), 1);
	assert_int_equal(frames[0].kind, FRAME_PYTHON);
	assert_int_equal(frames[0].first_line, 7);
	assert_int_equal(frames[0].line, 0);
	assert_true(frames[1].named);
	assert_false(frames[4].named);
	profile_file__free(f);
}

static void a_profile_is_read_in_any_order(void **state)
{
	check_whole(opened(*state, "{\"name\":\"a title\"," META "," SHARED "," PROFILES "}"));
	check_whole(opened(*state, "{" PROFILES "," SHARED "," META ",\"name\":\"a title\"}"));
}

static void the_event_of_a_name_is_cut_off(void **state)
{
	struct profile_file *f = opened(*state,
					"{" META "," SHARED
					",\"profiles\":[{\"name\":\"worker [oncpu]\",\"perfconv\":"
					"{\"event\":\"oncpu\"}}]}");

	assert_string_equal(f->profile->threads.data[0].name, "worker");
	profile_file__free(f);
}

static void what_is_not_ours_is_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "{}", "no profile that perfconv wrote" },
		{ "{\"profiles\":[]}", "no profile that perfconv wrote" },
		{ "{\"profiles\":7}", "has no list where one is due (line 1)" },
		{ "[]", "has no object" },
		{ "", "has no object" },
		{ "{" META "," SHARED "," PROFILES, "ends too early" },
		{ "{" META "," PROFILES "}", "a stack has frame 4, and the file 0 frames" },
		{ "{" META ",\"profiles\":[{\"samples\":[[]],\"weights\":[]}]}", "more samples" },
		{ "{" META ",\"profiles\":[{\"samples\":[[]],\"weights\":[4e5]}]}",
		  "whole number" },
		{ "{" META ",\"profiles\":[{\"samples\":[[],[]],\"weights\":[4611686018427387900,9]"
		  "}]}",
		  "centuries" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct profile_file *f = NULL;
		struct errbuf err;

		assert_int_equal(open_text(*state, cases[i].text, &f, &err), -EINVAL);
		assert_null(f);
		assert_message(&err, scratch__path(*state, "p.json"));
		assert_contains(err.text, cases[i].message);
	}
}

static void only_json_looks_like_a_profile(void **state)
{
	assert_true(profile_file__is_one(scratch__write(*state, "a", " \n{", 3)));
	assert_false(profile_file__is_one(scratch__write(*state, "b", "PERFILE2", 8)));
	assert_false(profile_file__is_one(scratch__write(*state, "c", "", 0)));
	assert_false(profile_file__is_one(scratch__path(*state, "none")));
	assert_false(profile_file__is_one(*state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(a_profile_is_read_in_any_order),
		scratch_test(the_event_of_a_name_is_cut_off),
		scratch_test(what_is_not_ours_is_refused),
		scratch_test(only_json_looks_like_a_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
