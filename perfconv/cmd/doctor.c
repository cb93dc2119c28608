// SPDX-License-Identifier: GPL-2.0
/* perfconv doctor - what may be recorded here, of which Python, and how. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/doctor_report.h"
#include "perfconv/cmd/message.h"
#include "perfconv/cmd/options.h"

struct settings {
	pid_t pid; /* 0: none was named */
	const char *python;
	bool json;
};

static int set_pid(void *target, const char *value)
{
	uint32_t pid;

	if (options__number("pid", "a process", value, &pid))
		return -EINVAL;
	if (!pid || pid > INT32_MAX) {
		message__error("--pid takes the number of a process, not %s", value);
		return -EINVAL;
	}
	((struct settings *)target)->pid = (pid_t)pid;
	return 0;
}

static const struct option_spec options[] = {
	{ "pid", 'p', "PID", "also look at this process, without disturbing it",
	  OPTION_CALL(set_pid) },
	{ "python", 0, "EXE",
	  "also look at this Python; runs it once (EXE -I -c),\n"
	  "for ten seconds at most",
	  OPTION_TEXT(struct settings, python) },
	{ "json", 0, NULL, "for programs: docs/doctor.schema.json",
	  OPTION_FLAG(struct settings, json) },
};

static bool wants_colour(void)
{
	const char *terminal = getenv("TERM"), *none = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb") && !(none && *none);
}

static int look(struct doctor *d, const struct settings *s, struct errbuf *err)
{
	int code = 0;

	if (s->pid)
		code = target__of_process(d->target, s->pid, err);
	else if (s->python)
		code = target__of_executable(d->target, s->python, err);
	else
		d->target = NULL;
	if (code)
		return code;
	host__look(&d->host);
	doctor__ask(&d->answers, d->host.name.machine, s->pid);
	doctor__choose(d);
	doctor__judge(d);
	return 0;
}

static int report(const struct doctor *d, const struct settings *s, struct errbuf *err)
{
	struct sink *out;
	int code = sink__open(&out, "-", err);

	if (code)
		return code;
	if (s->json)
		doctor_report__json(out, d);
	else
		doctor_report__text(out, d, wants_colour());
	return sink__commit(out, err);
}

static int run(void *into, int argc, char **argv)
{
	const struct settings *s = into;
	struct target target = { 0 };
	struct doctor d = { .target = &target };
	struct errbuf err;
	int code, status;

	if (argc || (s->pid && s->python)) {
		message__error("perfconv doctor takes either --pid PID or --python EXE%s%s; see "
			       "perfconv doctor --help",
			       argc ? ", not " : "", argc ? argv[0] : "");
		return EXIT_USAGE;
	}
	code = look(&d, s, &err);
	if (!code)
		code = report(&d, s, &err);
	status = options__status(code, &err);
	if (!code && !d.possible)
		status = EXIT_FAILED;
	doctor__release(&d);
	target__release(&target);
	return status;
}

static const struct command_spec spec = {
	.name = "doctor",
	.usage = "[OPTION]...",
	.about = "Say what perf may record here: opens the events that it would use.  Each\n"
		 "refusal comes with its remedy and the risk of that; at the end stands the\n"
		 "command that records as much as is allowed.  Exit status 1: no profile can\n"
		 "be made.",
	.options = options,
	.options_n = sizeof(options) / sizeof(*options),
	.run = run,
};

int cmd__doctor(int argc, char **argv)
{
	struct settings s = { 0 };

	return options__run(&spec, argc, argv, &s);
}
