/* SPDX-License-Identifier: GPL-2.0 */
/*
 * interpreter - what the file that holds a Python interpreter says about itself:
 * libpython, or the executable where that is linked statically.
 */
#ifndef PERFCONV_DOCTOR_INTERPRETER_H
#define PERFCONV_DOCTOR_INTERPRETER_H

#include <stdbool.h>
#include <stdint.h>

/* Fewer tell nothing about how a file was compiled. */
#define INTERPRETER_LEAST_FUNCTIONS 50u

enum debug_info {
	DEBUG_NONE,
	DEBUG_INSIDE,	/* in the file itself */
	DEBUG_SEPARATE, /* in a file that was found */
};

struct interpreter {
	bool cpython;	    /* it has CPython's evaluator */
	char version[32];   /* "3.11.2"; "": not found */
	uint32_t functions; /* looked at: x86_64 all, aarch64 those that save the frame */
	uint32_t keeping;   /* of them, those that set the frame pointer */
	enum debug_info debug;
	bool symbols; /* names of functions that are not exported */
};

/**
 * interpreter__read - look into an ELF file
 * @fd: of a regular file; closed in any case
 * @path: its absolute name, for what was stripped off it
 * Return: 0, or -EINVAL if it is no ELF file that can be read.
 */
int interpreter__read(struct interpreter *i, int fd, const char *path);

/** interpreter__keeps_frames - whether its code keeps frame pointers; false if unknown. */
bool interpreter__keeps_frames(const struct interpreter *i);

#endif
