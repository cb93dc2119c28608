// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "perfconv/base/mem.h"
#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/options.h"
#include "tests/unit/support.h"

struct target {
	const char *input, *text;
	struct option_texts texts;
	int quiet, refused, runs, rest;
	bool flag;
};

static int set_input(void *target, const char *value)
{
	((struct target *)target)->input = value;
	return 0;
}

static int set_quiet(void *target, const char *value)
{
	assert_null(value);
	((struct target *)target)->quiet++;
	return 0;
}

static int refuse(void *target, const char *value)
{
	(void)value;
	((struct target *)target)->refused++;
	return -EINVAL;
}

static const struct option_spec specs[] = {
	{ "input", 'i', "FILE", "the capture", OPTION_CALL(set_input) },
	{ "quiet", 'q', NULL, "say less\nthan usual", OPTION_CALL(set_quiet) },
	{ "a-very-long-option-name", 0, "VALUE", "its help", OPTION_CALL(refuse) },
	{ "flag", 'f', NULL, "a bool", OPTION_FLAG(struct target, flag) },
	{ "text", 't', "TEXT", "the last one counts", OPTION_TEXT(struct target, text) },
	{ "texts", 0, "TEXT", "all of them", OPTION_TEXTS(struct target, texts) },
};

static int run(void *target, int argc, char **argv)
{
	struct target *t = target;

	t->runs++;
	t->rest = argc;
	return argc ? argv[0][0] - '0' : 0;
}

static const struct command_spec spec = {
	.name = "try",
	.usage = "[-i FILE] [OPTION]...",
	.about = "Try options.",
	.options = specs,
	.options_n = sizeof(specs) / sizeof(*specs),
	.run = run,
};

struct parsed {
	enum options_result result;
	struct target target;
	int first;
	char *stdout_text, *stderr_text;
};

static int redirect(int fd, const char *path)
{
	int saved = dup(fd), to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(saved >= 0 && to >= 0);
	dup2(to, fd);
	close(to);
	return saved;
}

static void restore(int fd, int saved)
{
	dup2(saved, fd);
	close(saved);
}

/* Parse "try ARGS...", a NULL-terminated list, and keep what is printed. */
static struct parsed parse(const char *folder, const char *const *args)
{
	const char *out = scratch__path(folder, "out"), *err = scratch__path(folder, "err");
	struct parsed p = { .first = -1 };
	char *argv[16] = { (char *)"try" };
	int argc = 1, saved_out, saved_err;

	while (args[argc - 1]) {
		argv[argc] = (char *)args[argc - 1];
		argc++;
	}
	fflush(stdout);
	saved_out = redirect(STDOUT_FILENO, out);
	saved_err = redirect(STDERR_FILENO, err);
	p.result = options__parse(&spec, argc, argv, &p.target, &p.first);
	fflush(stdout);
	fflush(stderr);
	restore(STDOUT_FILENO, saved_out);
	restore(STDERR_FILENO, saved_err);
	p.stdout_text = scratch__read(out);
	p.stderr_text = scratch__read(err);
	return p;
}

static void parsed__release(struct parsed *p)
{
	free(p->stdout_text);
	free(p->stderr_text);
}

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void long_and_short_names_are_applied(void **state)
{
	const char *const *const lines[] = {
		ARGS("-i", "x", "-q"),	      ARGS("-qix"),
		ARGS("--input=x", "--quiet"), ARGS("--input", "x", "-q"),
		ARGS("--inp=x", "--qui"),
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct parsed p = parse(*state, lines[i]);

		assert_int_equal(p.result, OPTIONS_OK);
		assert_string_equal(p.target.input, "x");
		assert_int_equal(p.target.quiet, 1);
		assert_string_equal(p.stdout_text, "");
		assert_string_equal(p.stderr_text, "");
		parsed__release(&p);
	}
}

static void the_rest_is_the_callers(void **state)
{
	struct parsed p = parse(*state, ARGS("-q", "--", "-i", "y"));

	assert_int_equal(p.result, OPTIONS_OK);
	assert_int_equal(p.first, 3);
	assert_null(p.target.input);
	parsed__release(&p);
	p = parse(*state, (const char *const[]){ NULL });
	assert_int_equal(p.result, OPTIONS_OK);
	assert_int_equal(p.first, 1);
	parsed__release(&p);
}

static void help_lists_every_option(void **state)
{
	const char *const *const lines[] = { ARGS("-h"), ARGS("--help"), ARGS("-q", "--help") };

	for (size_t i = 0; i < 3; i++) {
		struct parsed p = parse(*state, lines[i]);

		assert_int_equal(p.result, OPTIONS_HELP);
		assert_contains(p.stdout_text, "usage: perfconv try [-i FILE] [OPTION]...");
		assert_contains(p.stdout_text, "Try options.");
		assert_contains(p.stdout_text, "-i, --input FILE");
		assert_contains(p.stdout_text, "-q, --quiet");
		assert_contains(p.stdout_text, "than usual");
		assert_contains(p.stdout_text, "--a-very-long-option-name VALUE");
		assert_contains(p.stdout_text, "-h, --help");
		assert_string_equal(p.stderr_text, "");
		parsed__release(&p);
	}
}

static void bad_usage_is_told(void **state)
{
	static const struct {
		const char *args[3], *part;
	} cases[] = {
		{ { "--nothing" }, "--nothing" }, { { "-x" }, "-x" }, { { "-qx" }, "-x" },
		{ { "--quiet", "-x" }, "-x" },	  { { "-i" }, "-i" }, { { "--input" }, "--input" },
		{ { "--quiet=1" }, "--quiet=1" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct parsed p = parse(*state, cases[i].args);

		assert_int_equal(p.result, OPTIONS_BAD);
		assert_contains(p.stderr_text, cases[i].part);
		assert_contains(p.stderr_text, "perfconv try --help");
		assert_ptr_equal(strchr(p.stderr_text, '\n'),
				 p.stderr_text + strlen(p.stderr_text) - 1);
		assert_string_equal(p.stdout_text, "");
		parsed__release(&p);
	}
}

static void a_refused_value_ends_parsing(void **state)
{
	struct parsed p = parse(*state, ARGS("--a-very-long-option-name", "v", "-i", "x"));

	assert_int_equal(p.result, OPTIONS_BAD);
	assert_int_equal(p.target.refused, 1);
	assert_null(p.target.input);
	parsed__release(&p);
}

static void values_land_in_the_target(void **state)
{
	struct parsed p = parse(*state, ARGS("--texts", "a", "-f", "-t", "x", "--texts=b", "-ty"));

	assert_int_equal(p.result, OPTIONS_OK);
	assert_true(p.target.flag);
	assert_string_equal(p.target.text, "y");
	assert_int_equal(p.target.texts.n, 2);
	assert_string_equal(p.target.texts.data[0], "a");
	assert_string_equal(p.target.texts.data[1], "b");
	assert_int_equal(p.target.runs, 0);
	vec__release(&p.target.texts);
	parsed__release(&p);
}

static void a_choice_names_what_there_is(void **state)
{
	static const char *const names[] = { NULL, "one", "two", "three" };
	const char *err = scratch__path(*state, "err");
	int saved = redirect(STDERR_FILENO, err);
	int two = options__choice("which", names, 4, "two");
	int none = options__choice("which", names, 4, "four");
	int of_one = options__choice("only", names, 2, "none");
	char *text;

	fflush(stderr);
	restore(STDERR_FILENO, saved);
	text = scratch__read(err);
	assert_int_equal(two, 2);
	assert_int_equal(none, -EINVAL);
	assert_int_equal(of_one, -EINVAL);
	assert_string_equal(text, "perfconv: --which takes one, two or three, not four\n"
				  "perfconv: --only takes one, not none\n");
	free(text);
}

static void the_command_gets_what_is_left(void **state)
{
	char *argv[] = { (char *)"try", (char *)"-f", (char *)"7", (char *)"x", NULL };
	char *bad[] = { (char *)"try", (char *)"-t", NULL };
	struct target target = { 0 };
	int saved, status;

	assert_int_equal(options__run(&spec, 4, argv, &target), 7);
	assert_int_equal(target.runs, 1);
	assert_int_equal(target.rest, 2);
	saved = redirect(STDERR_FILENO, scratch__path(*state, "err"));
	status = options__run(&spec, 2, bad, &target);
	restore(STDERR_FILENO, saved);
	assert_int_equal(status, EXIT_USAGE);
	assert_int_equal(target.runs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(long_and_short_names_are_applied),
		scratch_test(the_rest_is_the_callers),
		scratch_test(help_lists_every_option),
		scratch_test(bad_usage_is_told),
		scratch_test(a_refused_value_ends_parsing),
		scratch_test(values_land_in_the_target),
		scratch_test(a_choice_names_what_there_is),
		scratch_test(the_command_gets_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
