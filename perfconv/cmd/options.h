/* SPDX-License-Identifier: GPL-2.0 */
/*
 * options - one table per command both parses the command line and prints the
 * help, so that they cannot disagree.
 */
#ifndef PERFCONV_CMD_OPTIONS_H
#define PERFCONV_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"

/* The values of an option that may be given several times, borrowed from argv: a
 * VEC(const char *), whose type has a name. */
struct option_texts {
	const char **data;
	size_t n, cap;
};

/* What an option does to the struct that options__parse() fills in. */
enum option_does {
	OPTION_CALLS, /* apply() */
	OPTION_SETS,  /* makes the bool at offset true */
	OPTION_TAKES, /* puts its value into the const char * at offset */
	OPTION_ADDS,  /* adds its value to the struct option_texts at offset */
};

struct option_spec {
	const char *name;     /* long name, without dashes */
	char letter;	      /* short name, or 0 */
	const char *argument; /* how the help calls its value; NULL: takes none */
	const char *help;     /* one line, or several divided by '\n' */
	enum option_does does;
	size_t offset;
	/* Return: 0, or -EINVAL after it told the user what is wrong. */
	int (*apply)(void *target, const char *value);
};

/* Where @member of @target is, which has to be @of: another type does not compile. */
#define OPTION_OFFSET(target, member, of)                                                          \
	(offsetof(target, member) + 0 * sizeof(&((target *)0)->member == (of *)0))

/* What stands behind the help in a table of struct option_spec. */
#define OPTION_CALL(function) .apply = (function)
#define OPTION_FLAG(target, member)                                                                \
	.does = OPTION_SETS, .offset = OPTION_OFFSET(target, member, bool)
#define OPTION_TEXT(target, member)                                                                \
	.does = OPTION_TAKES, .offset = OPTION_OFFSET(target, member, const char *)
#define OPTION_TEXTS(target, member)                                                               \
	.does = OPTION_ADDS, .offset = OPTION_OFFSET(target, member, struct option_texts)

struct command_spec {
	const char *name;
	const char *usage; /* what follows "perfconv NAME" */
	const char *about; /* what it does, lines divided by '\n' */
	const struct option_spec *options;
	size_t options_n;
	/* The command itself, with what is left on the command line behind the options.
	 * Return: an enum exit_status. */
	int (*run)(void *target, int argc, char **argv);
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
 * options__choice - the value of an option that takes one of @n @names
 * @names: those that are NULL are left out
 * Return: its index; -EINVAL after it told the user what there is.
 */
int options__choice(const char *option, const char *const *names, size_t n, const char *value);

/**
 * options__parse - apply all options of @argv to @target
 * @first: set to the index of the first argument that is no option
 */
enum options_result options__parse(const struct command_spec *spec, int argc, char **argv,
				   void *target, int *first);

/**
 * options__run - parse, then run the command
 * Return: its exit status, or that of a help that was asked for, or of bad usage.
 */
int options__run(const struct command_spec *spec, int argc, char **argv, void *target);

/**
 * options__status - the exit status of what returned @code; tells @err if it failed
 */
int options__status(int code, const struct errbuf *err);

#endif
