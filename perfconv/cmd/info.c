// SPDX-License-Identifier: GPL-2.0
/* perfconv info - what a capture holds: events, threads, records, quality. */
#include <errno.h>
#include <string.h>

#include "perfconv/base/sink.h"
#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/info_report.h"
#include "perfconv/cmd/message.h"
#include "perfconv/cmd/options.h"
#include "perfconv/pipeline/capture.h"

struct info {
	struct capture_options capture;
	bool json;
};

static int set_json(void *target, const char *value)
{
	(void)value;
	((struct info *)target)->json = true;
	return 0;
}

static int set_side_dir(void *target, const char *value)
{
	((struct info *)target)->capture.side_dir = value;
	return 0;
}

static const struct option_spec options[] = {
	{ "json", 0, NULL, "for programs", set_json },
	{ "side-dir", 0, "DIR",
	  "where pyframes' files are, if not beside the capture\n"
	  "or where they were recorded",
	  set_side_dir },
};

static const struct command_spec spec = {
	.name = "info",
	.usage = "[OPTION]... [FILE]",
	.about = "Say what a capture (default: perf.data) holds: events, processes and threads,\n"
		 "counts of records, and how complete its stacks are.",
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
	struct info i = { .capture = { .path = "perf.data", .frames = FRAMES_ALL } };
	struct errbuf err;
	int first;

	switch (options__parse(&spec, argc, argv, &i, &first)) {
	case OPTIONS_HELP:
		return EXIT_DONE;
	case OPTIONS_BAD:
		return EXIT_USAGE;
	case OPTIONS_OK:
	default:
		break;
	}
	if (argc - first > 1) {
		message__error("%s is one argument too many; info takes one capture",
			       argv[first + 1]);
		return EXIT_USAGE;
	}
	if (first < argc)
		i.capture.path = argv[first];
	if (info(&i, &err)) {
		message__error("%s", err.text);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}
