// SPDX-License-Identifier: GPL-2.0
/* perfconv info - what a capture holds: events, threads, records, quality. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/sink.h"
#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/info_report.h"
#include "perfconv/cmd/message.h"
#include "perfconv/cmd/options.h"
#include "perfconv/cmd/sources.h"
#include "perfconv/pipeline/capture.h"

struct info {
	struct capture_options capture; /* first: cmd/sources.h */
	VEC(const char *) inputs;
	bool json;
};

static int add_input(void *target, const char *value)
{
	struct info *i = target;

	vec__push(&i->inputs, value);
	i->capture.path = i->inputs.data[0];
	i->capture.files = i->inputs.data;
	i->capture.files_n = i->inputs.n;
	return 0;
}

static int set_json(void *target, const char *value)
{
	(void)value;
	((struct info *)target)->json = true;
	return 0;
}

static int set_strict(void *target, const char *value)
{
	(void)value;
	((struct info *)target)->capture.strict = true;
	return 0;
}

static int set_texts(void *target, const char *value)
{
	return options__number("event-text", "samples", value,
			       &((struct info *)target)->capture.texts);
}

static int set_max_dump(void *target, const char *value)
{
	return options__number("max-stack-dump", "bytes", value,
			       &((struct info *)target)->capture.max_dump);
}

static int set_no_stitch(void *target, const char *value)
{
	(void)value;
	((struct info *)target)->capture.no_stitch = true;
	return 0;
}

static const struct option_spec options[] = {
	{ "input", 'i', "FILE", "the capture, as an argument", add_input },
	{ "json", 0, NULL, "for programs", set_json },
	{ "event-text", 0, "N",
	  "also show the first N tracepoint samples as the kernel\n"
	  "would print them; not for captures of strangers",
	  set_texts },
	{ "no-stitch", 0, NULL, "stacks that did not fit their dump stay cut", set_no_stitch },
	{ "max-stack-dump", 0, "BYTES",
	  "use so much of each stack dump, as if no more had\n"
	  "been recorded; calibration events keep theirs",
	  set_max_dump },
	{ "strict", 0, NULL, "a capture with anything odd in it is an error", set_strict },
	SOURCES_OPTIONS,
};

static const struct command_spec spec = {
	.name = "info",
	.usage = "[OPTION]... [FILE]...",
	.about = "Say what a capture (default: perf.data) holds: events, processes and threads,\n"
		 "counts of records, and how complete its stacks are.  Several files are a\n"
		 "series of perf record --switch-output.",
	.options = options,
	.options_n = sizeof(options) / sizeof(*options),
};

static int info(const struct info *i, struct errbuf *err)
{
	struct capture *c;
	struct sink *out;
	int code = capture__read(&c, &i->capture, err);

	if (code)
		return code;
	code = sink__open(&out, "-", err);
	if (!code) {
		if (i->json)
			info_report__json(out, c, i->capture.path);
		else
			info_report__text(out, c, i->capture.path);
		code = sink__commit(out, err);
	}
	capture__free(c);
	return code;
}

int cmd__info(int argc, char **argv)
{
	struct info i = { .capture = { .path = "perf.data",
				       .resolve.mode = FRAMES_ALL,
				       .max_samples = CAPTURE_NO_TIMELINES } };
	struct errbuf err;
	int first, status = EXIT_USAGE;

	switch (options__parse(&spec, argc, argv, &i, &first)) {
	case OPTIONS_HELP:
		status = EXIT_DONE;
		break;
	case OPTIONS_OK:
		for (int k = first; k < argc; k++)
			(void)add_input(&i, argv[k]);
		status = info(&i, &err) ? EXIT_FAILED : EXIT_DONE;
		if (status == EXIT_FAILED)
			message__error("%s", err.text);
		break;
	case OPTIONS_BAD:
	default:
		break;
	}
	vec__release(&i.inputs);
	return status;
}
