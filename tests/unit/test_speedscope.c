// SPDX-License-Identifier: GPL-2.0
/* The speedscope file: parsed again by Python's json, which knows nothing of ours. */
#include <sys/wait.h>
#include <unistd.h>

#include "perfconv/output/speedscope.h"
#include "tests/unit/perfdata_builder.h"
#include "tests/unit/world.h"

struct output {
	struct world world;
	struct perfdata *data;
	struct meta meta;
	struct profile *profile;
	const char *folder;
	uint64_t too_deep;
	char *text;
};

static void begin(struct output *o, void **state)
{
	struct perfdata_builder b;

	memset(o, 0, sizeof(*o));
	o->folder = *state;
	world__init(&o->world, *state, true);
	perfdata_builder__init(&b, false);
	perfdata_builder__event(&b, 4);
	builder__finished_round(&b);
	builder__feature_string(&b, 3, "host \"7\"");
	assert_int_equal(perfdata__open(&o->data, perfdata_builder__write(&b, *state, "perf.data"),
					NULL),
			 0);
	perfdata_builder__release(&b);
	o->meta = (struct meta){ .title = "a title", .data = o->data, .frames_mode = "all" };
}

/* Write the file, and check that @expression about the parsed file `p` holds. */
static void holds(const struct output *o, const char *expression)
{
	char *program = mem__format("import json, sys\n"
				    "p = json.load(open(sys.argv[1], encoding='utf-8'))\n"
				    "names = [f['name'] for f in p['shared']['frames']]\n"
				    "threads = {t['name']: t for t in p['profiles']}\n"
				    "sys.exit(0 if (%s) else 1)\n",
				    expression);
	int status;
	pid_t child = fork();

	if (!child) {
		execlp("python3", "python3", "-c", program, scratch__path(o->folder, "out.json"),
		       (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	free(program);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("does not hold: %s, in\n%s", expression, o->text);
}

static void finish(struct output *o)
{
	const char *path = scratch__path(o->folder, "out.json");
	struct world *w = &o->world;
	struct sink *sink;

	world__resolve(w, FRAMES_ALL);
	o->profile = world__profile(w, perfdata__event(o->data, 0));
	assert_int_equal(sink__open(&sink, path, NULL), 0);
	o->too_deep = speedscope__write(sink, &(struct output_source){ .profile = o->profile,
								       .meta = &o->meta });
	assert_int_equal(sink__commit(sink, NULL), 0);
	o->text = scratch__read(path);
}

static void end(struct output *o)
{
	free(o->text);
	profile__free(o->profile);
	perfdata__free(o->data);
	world__release(&o->world);
}

static void samples_and_weights_match(void **state)
{
	struct output o;
	struct world *w = &o.world;

	begin(&o, state);
	world__sample(w, WORLD_PID, WORLD_PID, 1100, 100, STACK(w, PY_RUN, EVAL));
	world__sample(w, WORLD_PID, WORLD_PID, 1500, 100, STACK(w, START));
	world__fork(w, WORLD_PID, 101, 5);
	finish(&o);
	holds(&o, "p['$schema'] == 'https://www.speedscope.app/file-format-schema.json'");
	holds(&o, "p['name'] == 'a title' and p['exporter'].startswith('perfconv')");
	holds(&o, "[t['name'] for t in p['profiles']] == "
		  "['MainThread', 'MavLinkExternalProxy-Recv']");
	holds(&o, "all(t['type'] == 'sampled' and t['unit'] == 'nanoseconds' "
		  "for t in p['profiles'])");
	holds(&o, "all(len(t['samples']) == len(t['weights']) for t in p['profiles'])");
	holds(&o, "all(sum(t['weights']) == t['endValue'] == 500 for t in p['profiles'])");
	holds(&o, "threads['MainThread']['weights'] == [100, 300, 100]");
	holds(&o, "[[names[i] for i in s] for s in threads['MainThread']['samples']] == "
		  "[['Loop.run', '_PyEval_EvalFrameDefault'], [], ['_start']]");
	holds(&o, "threads['MavLinkExternalProxy-Recv']['samples'] == [[]]");
	end(&o);
}

static void frames_say_where_they_are_from(void **state)
{
	struct output o;
	struct world *w = &o.world;

	begin(&o, state);
	world__sample(w, WORLD_PID, WORLD_PID, 1100, 100,
		      STACK(w, PY_RUN, PY_TASK, STRIPPED, WORLD_KERNEL));
	finish(&o);
	holds(&o, "[f['kind'] for f in p['shared']['frames']] and "
		  "sorted(f['kind'] for f in p['shared']['frames']) == "
		  "['kernel', 'native', 'python', 'task']");
	holds(&o, "[f for f in p['shared']['frames'] if f['name'] == 'Loop.run'][0]['file'] == "
		  "'/app/loop.py'");
	holds(&o, "[f for f in p['shared']['frames'] if f['name'] == 'Loop.run'][0]"
		  "['firstLine'] == 20");
	end(&o);
}

static void the_metadata_is_there(void **state)
{
	static const struct meta_value values[] = { { "pam", "0.3" }, { "quote\"d", "\xff" } };
	struct output o;
	struct world *w = &o.world;

	begin(&o, state);
	o.meta.scenario = "idle";
	o.meta.values = values;
	o.meta.values_n = 2;
	o.meta.python_hex = 0x030b07f0;
	world__sample(w, WORLD_PID, WORLD_PID, 1100, 100, STACK(w, PY_RUN));
	finish(&o);
	holds(&o, "p['perfconv']['scenario'] == 'idle'");
	holds(&o, "p['perfconv']['values'] == {'pam': '0.3', 'quote\"d': '\\ufffd'}");
	holds(&o, "p['perfconv']['host']['name'] == 'host \"7\"'");
	holds(&o, "p['perfconv']['python']['version'] == '3.11.7'");
	holds(&o, "p['perfconv']['samples'] == 1 and p['perfconv']['event'] == 'cpu-clock'");
	holds(&o, "p['perfconv']['quality']['stacks'] == "
		  "{'complete': 1, 'truncated': 0, 'lost': 0, 'asCaptured': 0}");
	holds(&o, "threads['MainThread']['perfconv']['tid'] == 100 and "
		  "abs(threads['MainThread']['perfconv']['onCpuSeconds'] - 1e-7) < 1e-15");
	end(&o);
}

static void what_is_not_known_is_left_out(void **state)
{
	struct output o;
	struct world *w = &o.world;

	begin(&o, state);
	world__sample(w, WORLD_PID, WORLD_PID, 1100, 100, STACK(w, PY_RUN));
	finish(&o);
	holds(&o, "'scenario' not in p['perfconv'] and 'python' not in p['perfconv']");
	holds(&o, "'kernel' not in p['perfconv']['host'] and 'cpus' not in p['perfconv']['host']");
	end(&o);
}

static void an_empty_profile_is_valid_json(void **state)
{
	struct output o;

	begin(&o, state);
	finish(&o);
	holds(&o, "p['profiles'] == [] and p['shared']['frames'] == []");
	end(&o);
}

/* speedscope cannot open stacks of thousands of frames. */
static void the_innermost_frames_of_deep_stacks_are_left_out(void **state)
{
	struct output o;
	struct world *w = &o.world;
	uint32_t stack;

	begin(&o, state);
	stack = STACK(w, START);
	for (uint32_t i = 0; i < 2 * SPEEDSCOPE_MAX_DEPTH; i++)
		stack = store__push(&w->store, stack, store__leaf(&w->store, STACK(w, RECV)));
	world__sample(w, WORLD_PID, WORLD_PID, 1100, 100, stack);
	world__sample(w, WORLD_PID, WORLD_PID, 1200, 100, STACK(w, START));
	finish(&o);
	assert_int_equal(o.too_deep, 1);
	holds(&o, "max(len(s) for s in threads['MainThread']['samples']) == 1024");
	holds(&o, "names[threads['MainThread']['samples'][0][0]] == '_start'");
	end(&o);
}

static void only_frames_that_are_shown_are_written(void **state)
{
	struct output o;
	struct world *w = &o.world;

	begin(&o, state);
	world__sample(w, WORLD_PID, WORLD_PID, 1100, 100, STACK(w, START));
	finish(&o);
	holds(&o, "names == ['_start']");
	end(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(samples_and_weights_match),
		scratch_test(frames_say_where_they_are_from),
		scratch_test(the_metadata_is_there),
		scratch_test(what_is_not_known_is_left_out),
		scratch_test(an_empty_profile_is_valid_json),
		scratch_test(the_innermost_frames_of_deep_stacks_are_left_out),
		scratch_test(only_frames_that_are_shown_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
