// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "perfconv/cmd/options.h"
#include "tests/unit/support.h"

struct target {
	const char *input;
	int quiet, refused;
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
	{ "input", 'i', "FILE", "the capture", set_input },
	{ "quiet", 'q', NULL, "say less\nthan usual", set_quiet },
	{ "a-very-long-option-name", 0, "VALUE", "its help", refuse },
};

static const struct command_spec spec = {
	.name = "try",
	.usage = "[-i FILE] [OPTION]...",
	.about = "Try options.",
	.options = specs,
	.options_n = 3,
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(long_and_short_names_are_applied),
		scratch_test(the_rest_is_the_callers),
		scratch_test(help_lists_every_option),
		scratch_test(bad_usage_is_told),
		scratch_test(a_refused_value_ends_parsing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
