// SPDX-License-Identifier: GPL-2.0
/* A report's page, piece by piece; tests/browser looks at the whole. */
#include "perfconv/output/page.h"

#include "perfconv/output/html.h"
#include "tests/unit/support.h"

struct piece {
	const char *path;
	struct sink *sink;
	struct resolved resolved;
	struct profile profile;
	struct profile_thread thread;
};

static void begin(struct piece *p, const char *folder)
{
	struct errbuf err;

	memset(p, 0, sizeof(*p));
	p->path = scratch__path(folder, "piece");
	assert_int_equal(sink__open(&p->sink, p->path, &err), 0);
	strtab__intern(&p->resolved.strings, "");
	p->profile.resolved = &p->resolved;
}

/* What was written; free() it. */
static char *end(struct piece *p)
{
	struct errbuf err;

	assert_int_equal(sink__commit(p->sink, &err), 0);
	vec__release(&p->thread.slices);
	vec__release(&p->resolved.frames);
	strtab__release(&p->resolved.strings);
	idmap__release(&p->resolved.stacks);
	return scratch__read(p->path);
}

static uint32_t push(struct piece *p, uint32_t parent, const char *name, enum frame_kind kind)
{
	struct frame f = { .kind = kind, .name = strtab__intern(&p->resolved.strings, name) };

	vec__push(&p->resolved.frames, f);
	return idmap__intern(&p->resolved.stacks, (uint64_t)parent + 1, p->resolved.frames.n - 1);
}

static void slice(struct piece *p, uint32_t stack, uint64_t weight, bool off)
{
	vec__push(&p->thread.slices, ((struct profile_slice){ weight, stack, off }));
	p->profile.duration += weight;
}

static void text_is_never_markup(void **state)
{
	struct piece p;
	char *text;

	begin(&p, *state);
	html__text(p.sink, "<a href='x' onclick=\"y\">&amp; \xc3\xa9\xff\x01\n</a>");
	text = end(&p);
	assert_string_equal(text, "&lt;a href=&#39;x&#39; onclick=&quot;y&quot;&gt;&amp;amp; "
				  "\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&lt;/a&gt;");
	free(text);
}

/* A strip has 240 bins, 30 high. */
static void a_strip_stacks_states_by_their_share(void **state)
{
	uint32_t run, poll;
	struct piece p;
	char *text;

	begin(&p, *state);
	run = push(&p, RESOLVE_NO_STACK, "run", FRAME_PYTHON);
	poll = push(&p, run, "[poll]", FRAME_NOTE);
	slice(&p, run, 60 * 1000003,
	      false); /* a quarter of it, and no bin ends at a whole number */
	slice(&p, poll, 60 * 1000003, true);
	slice(&p, RESOLVE_NO_STACK, 60 * 1000003, false);
	for (int i = 0; i < 60; i++) {
		slice(&p, run, 500001, false);
		slice(&p, poll, 500002, true);
	}
	page_strip__write(p.sink, &p.profile, &p.thread);
	text = end(&p);
	assert_contains(text, "<path class=\"cpu\" d=\"M0 0h60v30h-60zM180 15h60v15h-60z\"/>");
	assert_contains(text, "<path class=\"poll\" d=\"M60 0h60v30h-60zM180 0h60v15h-60z\"/>");
	assert_contains(text, "data-s=\"0.240\"");
	free(text);
}

static void stacks_are_merged_widest_first(void **state)
{
	uint32_t run, a, b, again;
	struct piece p;
	char *text;

	begin(&p, *state);
	run = push(&p, RESOLVE_NO_STACK, "run", FRAME_PYTHON);
	a = push(&p, run, "a<", FRAME_NATIVE);
	b = push(&p, run, "b", FRAME_KERNEL);
	again = push(&p, push(&p, RESOLVE_NO_STACK, "run", FRAME_PYTHON), "b", FRAME_KERNEL);
	slice(&p, a, 300, false);
	slice(&p, b, 400, false);
	slice(&p, again, 200, false);
	slice(&p, run, 99, false);
	slice(&p, push(&p, run, "narrow", FRAME_NATIVE), 1, false);
	slice(&p, push(&p, run, "[poll]", FRAME_NOTE), 5000, true);
	page_flame__write(p.sink, &p.profile, &p.thread, false, true);
	text = end(&p);
	assert_contains(text, "<details open><summary>Where it runs");
	assert_contains(text, "style=\"--h:2\"");
	assert_contains(text, "<i class=\"p\" style=\"--l:0.000;--w:100.000;--d:0\"");
	assert_contains(text, "<i class=\"k\" style=\"--l:0.000;--w:60.000;--d:1\"");
	assert_contains(
		text, "<i class=\"n\" style=\"--l:60.000;--w:30.000;--d:1\" title=\"a&lt;\n30.0 %");
	assert_null(strstr(text, "narrow"));
	assert_null(strstr(text, "[poll]"));
	free(text);
}

static void no_stacks_no_graph(void **state)
{
	struct piece p;
	char *text;

	begin(&p, *state);
	slice(&p, RESOLVE_NO_STACK, 100, false);
	page_flame__write(p.sink, &p.profile, &p.thread, false, true);
	text = end(&p);
	assert_string_equal(text, "");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(text_is_never_markup),
		scratch_test(a_strip_stacks_states_by_their_share),
		scratch_test(stacks_are_merged_widest_first),
		scratch_test(no_stacks_no_graph),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
