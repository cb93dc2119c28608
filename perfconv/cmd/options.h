/* SPDX-License-Identifier: GPL-2.0 */
/*
 * options - one table per command both parses the command line and prints the
 * help, so that they cannot disagree.
 */
#ifndef PERFCONV_CMD_OPTIONS_H
#define PERFCONV_CMD_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

struct option_spec {
	const char *name;     /* long name, without dashes */
	char letter;	      /* short name, or 0 */
	const char *argument; /* how the help calls its value; NULL: takes none */
	const char *help;     /* one line, or several divided by '\n' */
	/* Return: 0, or -EINVAL after it told the user what is wrong. */
	int (*apply)(void *target, const char *value);
};

struct command_spec {
	const char *name;
	const char *usage; /* what follows "perfconv NAME" */
	const char *about; /* what it does, lines divided by '\n' */
	const struct option_spec *options;
	size_t options_n;
};

enum options_result {
	OPTIONS_OK,
	OPTIONS_HELP, /* the help was printed on stdout */
	OPTIONS_BAD,  /* the user was told */
};

/**
 * options__number - the value of an option that takes a number
 * @option: its name; @of: what is counted, both for the message
 * Return: 0 with @out set; -EINVAL after it told the user what is wrong.
 */
int options__number(const char *option, const char *of, const char *value, uint32_t *out);

/**
 * options__parse - apply all options of @argv to @target
 * @first: set to the index of the first argument that is no option
 */
enum options_result options__parse(const struct command_spec *spec, int argc, char **argv,
				   void *target, int *first);

#endif
