// SPDX-License-Identifier: GPL-2.0
#include "perfconv/cmd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/mem.h"
#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/message.h"

#define HELP_COLUMN 26
#define FIRST_VALUE 256 /* getopt's value of option i is FIRST_VALUE + i */

static void print_option(const struct option_spec *o)
{
	const char *line = o->help;
	char left[64];
	int n = snprintf(left, sizeof(left), "  %c%c%s --%s%s%s", o->letter ? '-' : ' ',
			 o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name,
			 o->argument ? " " : "", o->argument ? o->argument : "");

	printf("%-*s", HELP_COLUMN, left);
	if (n >= HELP_COLUMN)
		printf("\n%*s", HELP_COLUMN, "");
	for (;;) {
		size_t length = strcspn(line, "\n");

		printf("%.*s\n", (int)length, line);
		if (!line[length])
			return;
		line += length + 1;
		printf("%*s", HELP_COLUMN, "");
	}
}

static void print_help(const struct command_spec *spec)
{
	printf("usage: perfconv %s %s\n\n%s\n\n", spec->name, spec->usage, spec->about);
	for (size_t i = 0; i < spec->options_n; i++)
		print_option(&spec->options[i]);
	printf("%-*s%s\n", HELP_COLUMN, "  -h, --help", "print this help");
}

/* Two getopt tables from ours; freed by the caller. */
static struct option *make_tables(const struct command_spec *spec, char *letters)
{
	struct option *table = mem__alloc(spec->options_n + 2, sizeof(*table));

	*letters++ = ':';
	*letters++ = 'h';
	for (size_t i = 0; i < spec->options_n; i++) {
		const struct option_spec *o = &spec->options[i];

		table[i] = (struct option){ o->name, o->argument ? required_argument : no_argument,
					    NULL, FIRST_VALUE + (int)i };
		if (!o->letter)
			continue;
		*letters++ = o->letter;
		if (o->argument)
			*letters++ = ':';
	}
	table[spec->options_n] =
		(struct option){ "help", no_argument, NULL, FIRST_VALUE + (int)spec->options_n };
	*letters = '\0';
	return table;
}

int options__number(const char *option, const char *of, const char *value, uint32_t *out)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (end == value || *end || *value == '-' || n > UINT32_MAX) {
		message__error("--%s takes a number of %s, not %s", option, of, value);
		return -EINVAL;
	}
	*out = (uint32_t)n;
	return 0;
}

/* "a, b or c" */
static char *listing(const char *const *names, size_t n)
{
	char *list = mem__strdup("");

	for (size_t i = n, after = 0; i--;) {
		char *longer;

		if (!names[i])
			continue;
		longer = mem__format("%s%s%s", names[i],
				     after == 0	  ? ""
				     : after == 1 ? " or "
						  : ", ",
				     list);
		free(list);
		list = longer;
		after++;
	}
	return list;
}

int options__choice(const char *option, const char *const *names, size_t n, const char *value)
{
	char *list;

	for (size_t i = 0; i < n; i++)
		if (names[i] && !strcmp(value, names[i]))
			return (int)i;
	list = listing(names, n);
	message__error("--%s takes %s, not %s", option, list, value);
	free(list);
	return -EINVAL;
}

static const struct option_spec *find_option(const struct command_spec *spec, int value)
{
	for (size_t i = 0; i < spec->options_n; i++)
		if (value == FIRST_VALUE + (int)i || value == spec->options[i].letter)
			return &spec->options[i];
	return NULL;
}

/* getopt leaves a letter in optopt; 0 for an unknown long name; the option's value
 * for a long one that takes no argument and was given one. */
static void refuse(const struct command_spec *spec, char **argv)
{
	char letter[] = { '-', (char)optopt, '\0' };

	if (optopt >= FIRST_VALUE)
		message__error("%s: this option takes no value; see perfconv %s --help",
			       argv[optind - 1], spec->name);
	else
		message__error("%s is no option of perfconv %s; see perfconv %s --help",
			       optopt ? letter : argv[optind - 1], spec->name, spec->name);
}

static int do_option(const struct option_spec *o, void *target, const char *value)
{
	void *at = (char *)target + o->offset;

	switch (o->does) {
	case OPTION_SETS:
		*(bool *)at = true;
		return 0;
	case OPTION_TAKES:
		*(const char **)at = value;
		return 0;
	case OPTION_ADDS:
		vec__push((struct option_texts *)at, value);
		return 0;
	case OPTION_CALLS:
	default:
		return o->apply(target, value);
	}
}

static enum options_result apply(const struct command_spec *spec, int value, char **argv,
				 void *target)
{
	const struct option_spec *o = find_option(spec, value);

	if (value == 'h' || value == FIRST_VALUE + (int)spec->options_n) {
		print_help(spec);
		return OPTIONS_HELP;
	}
	if (value == ':') {
		message__error("%s needs a value; see perfconv %s --help", argv[optind - 1],
			       spec->name);
		return OPTIONS_BAD;
	}
	if (!o) {
		refuse(spec, argv);
		return OPTIONS_BAD;
	}
	return do_option(o, target, optarg) ? OPTIONS_BAD : OPTIONS_OK;
}

enum options_result options__parse(const struct command_spec *spec, int argc, char **argv,
				   void *target, int *first)
{
	char letters[128];
	struct option *table = make_tables(spec, letters);
	enum options_result result = OPTIONS_OK;
	int value;

	optind = 1;
	while (result == OPTIONS_OK &&
	       (value = getopt_long(argc, argv, letters, table, NULL)) != -1)
		result = apply(spec, value, argv, target);
	*first = optind;
	free(table);
	return result;
}

int options__run(const struct command_spec *spec, int argc, char **argv, void *target)
{
	int first;

	switch (options__parse(spec, argc, argv, target, &first)) {
	case OPTIONS_OK:
		return spec->run(target, argc - first, argv + first);
	case OPTIONS_HELP:
		return EXIT_DONE;
	case OPTIONS_BAD:
	default:
		return EXIT_USAGE;
	}
}

int options__status(int code, const struct errbuf *err)
{
	if (!code)
		return EXIT_DONE;
	message__error("%s", err->text);
	return EXIT_FAILED;
}
