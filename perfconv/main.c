// SPDX-License-Identifier: GPL-2.0
/* perfconv - perf captures become profiles that people can read. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "perfconv/base/shrunk.h"
#include "perfconv/base/sink.h"
#include "perfconv/base/tempdir.h"
#include "perfconv/base/version.h"
#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/message.h"

struct command {
	const char *name;
	const char *about;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "convert", "write a capture as a speedscope profile", cmd__convert },
	{ "bundle", "pack a capture with all that its conversion needs", cmd__bundle },
	{ "diff", "say what changed between two runs of a program", cmd__diff },
	{ "info", "say what a capture holds and how good it is", cmd__info },
	{ "doctor", "say what may be recorded here, and how", cmd__doctor },
	{ "view", "show profiles and their reports in the browser", cmd__view },
	{ "report", "say what stands out in a capture or profile, and what to do", cmd__report },
};

#define LARGE_BYTES (1 << 20)
#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void print_help(FILE *to)
{
	fputs("usage: perfconv COMMAND [OPTION]...\n\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-12s%s\n", commands[i].name, commands[i].about);
	fputs("\nperfconv COMMAND --help tells more.\n", to);
}

static void end_by_signal(int number)
{
	sink__remove_unfinished();
	tempdir__remove_unfinished();
	signal(number, SIG_DFL);
	raise(number);
}

/* Nothing half-written stays, also on Ctrl+C. */
static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (signal(numbers[i], end_by_signal) == SIG_IGN)
			signal(numbers[i], SIG_IGN);
}

/* A large array gets a mapping of its own, always: it grows without a copy, and leaves
 * no hole that stays ours when it moves or goes. */
static void keep_heap_small(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

static int run(const struct command *c, int argc, char **argv)
{
	int status = c->run(argc, argv);

	if (shrunk__pages())
		message__warning("a file became shorter while it was read, and the rest of it was "
				 "taken as zeros: names or stacks may be wrong; do it again");
	return status;
}

int main(int argc, char **argv)
{
	keep_heap_small();
	catch_signals();
	shrunk__guard();
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("perfconv " PERFCONV_VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return run(&commands[i], argc - 1, argv + 1);
	message__error("%s is no command; see perfconv --help", argv[1]);
	return EXIT_USAGE;
}
