// SPDX-License-Identifier: GPL-2.0
/* perfconv bundle - a capture and all that its conversion needs become one file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/mem.h"
#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/message.h"
#include "perfconv/cmd/options.h"
#include "perfconv/cmd/sources.h"
#include "perfconv/pipeline/pack.h"

struct bundle_command {
	struct capture_options capture; /* first: cmd/sources.h */
	struct pack_options pack;
	const char *output; /* NULL: made from the input's name */
	struct option_texts inputs;
	bool quiet;
};

static int set_redact(void *target, const char *value)
{
	struct bundle_command *b = target;

	(void)value;
	b->pack.redact = b->capture.keep_dumps = true;
	return 0;
}

static const struct option_spec options[] = {
	{ "input", 'i', "FILE",
	  "the capture, as an argument (default: perf.data);\n"
	  "several are a series of perf record --switch-output",
	  OPTION_TEXTS(struct bundle_command, inputs) },
	{ "output", 'o', "FILE", "the bundle (default: FILE.tar.zst)",
	  OPTION_TEXT(struct bundle_command, output) },
	{ "redact", 0, NULL,
	  "blank the program's environment and arguments in stack\n"
	  "copies, perf's command line, the hostname, and users'\n"
	  "names in paths; not what else programs keep on stacks",
	  OPTION_CALL(set_redact) },
	{ "no-inline", 0, NULL,
	  "leave out what names inlined functions and source\n"
	  "lines of native code: often half of the bundle",
	  OPTION_FLAG(struct bundle_command, pack.no_inlines) },
	SOURCES_OPTIONS,
	{ "quiet", 'q', NULL, "no summary, only warnings and errors",
	  OPTION_FLAG(struct bundle_command, quiet) },
};

/* X.data and X become X.tar.zst. */
static char *default_output(const char *input)
{
	static const char suffix[] = ".data";
	size_t n = strlen(input);

	if (n > sizeof(suffix) - 1 && !strcmp(input + n - (sizeof(suffix) - 1), suffix))
		n -= sizeof(suffix) - 1;
	while (n > 1 && input[n - 1] == '/')
		n--;
	return mem__format("%.*s.tar.zst", (int)n, input);
}

static double megabytes(uint64_t bytes)
{
	return (double)bytes / 1e6;
}

static void summary(const struct pack_counts *n, const char *path)
{
	message__line("%s   %.1f MB", path, megabytes(n->bytes));
	message__line("  capture       %.1f MB", megabytes(n->capture_bytes));
	message__line("  ELF files     %llu and %llu debug files, %.1f MB of their %.1f MB",
		      (unsigned long long)n->packed[ANSWER_IMAGE],
		      (unsigned long long)n->packed[ANSWER_DEBUG], megabytes(n->kept_bytes),
		      megabytes(n->elf_bytes));
	message__line("  side files    %llu, perf maps %llu, jitdumps %llu, kernel symbols %s",
		      (unsigned long long)n->packed[ANSWER_BESIDE],
		      (unsigned long long)n->packed[ANSWER_PERFMAP],
		      (unsigned long long)n->packed[ANSWER_JITDUMP],
		      n->packed[ANSWER_KALLSYMS] ? "yes" : "no");
	if (n->missing)
		message__line("  not there     %llu ELF files, whose functions have no names here "
			      "either",
			      (unsigned long long)n->missing);
	if (n->refused)
		message__line("  not used      %llu files of another build-id or owner; the "
			      "manifest says why",
			      (unsigned long long)n->refused);
	message__line("convert it anywhere with: perfconv convert -i %s", path);
}

static int check(const struct bundle_command *b, const char *output, struct errbuf *err)
{
	for (size_t i = 0; i < b->inputs.n; i++)
		if (!strcmp(b->inputs.data[i], "-"))
			return errbuf__set(err, -EINVAL,
					   "standard input cannot be bundled; store the capture in "
					   "a file and give its name");
	return sources__check_output(&b->inputs, output, "bundle", err);
}

static int bundle(struct bundle_command *b, struct errbuf *err)
{
	char *output = b->output ? mem__strdup(b->output) : default_output(b->inputs.data[0]);
	struct pack_counts counts;
	struct capture *c = NULL;
	int code = check(b, output, err);

	if (!code)
		code = capture__read(&c, &b->capture, err);
	if (!code)
		code = capture__pack(c, output, &b->pack, &counts, err);
	capture__free(c);
	if (!code && !b->quiet)
		summary(&counts, output);
	free(output);
	return code;
}

static int run(void *target, int argc, char **argv)
{
	struct bundle_command *b = target;
	struct errbuf err;

	sources__files(&b->capture, &b->inputs, argc, argv);
	return options__status(bundle(b, &err), &err);
}

static const struct command_spec spec = {
	.name = "bundle",
	.usage = "[FILE]... [-o X.tar.zst] [OPTION]...",
	.about = "Pack a capture (default: perf.data) with all that its conversion needs: side\n"
		 "files, perf maps, jitdumps, and of programs and libraries what names and\n"
		 "unwinds them.  Every command reads a bundle in place of a capture, and the\n"
		 "result is the same on any machine.",
	.options = options,
	.options_n = sizeof(options) / sizeof(*options),
	.run = run,
};

int cmd__bundle(int argc, char **argv)
{
	static const char *const all[] = { "all" };
	struct bundle_command b = { .capture = { .resolve = { FRAMES_ALL, .inlines = true },
						 .events = all,
						 .events_n = 1,
						 .max_samples = CAPTURE_NO_TIMELINES,
						 .keep_answers = true } };
	int status = options__run(&spec, argc, argv, &b);

	vec__release(&b.inputs);
	return status;
}
