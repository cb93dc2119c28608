/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cmd - the command line: stdout carries data, stderr words.
 */
#ifndef PERFCONV_CMD_CMD_H
#define PERFCONV_CMD_CMD_H

/* Exit status of every command. */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_REGRESSION = 3, /* of diff --fail-on-regression */
	EXIT_UNKNOWN = 4,    /* the same, if nothing can be said */
};

/** cmd__convert - argv[0] is "convert".  Return: an enum exit_status. */
int cmd__convert(int argc, char **argv);

/** cmd__bundle - argv[0] is "bundle".  Return: an enum exit_status. */
int cmd__bundle(int argc, char **argv);

/** cmd__diff - argv[0] is "diff".  Return: an enum exit_status. */
int cmd__diff(int argc, char **argv);

/** cmd__info - argv[0] is "info".  Return: an enum exit_status. */
int cmd__info(int argc, char **argv);

/** cmd__doctor - argv[0] is "doctor".  EXIT_FAILED where no profile can be made. */
int cmd__doctor(int argc, char **argv);

/** cmd__report - argv[0] is "report".  Return: an enum exit_status. */
int cmd__report(int argc, char **argv);

/** cmd__view - argv[0] is "view".  Return: an enum exit_status. */
int cmd__view(int argc, char **argv);

#endif
