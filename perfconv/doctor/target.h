/* SPDX-License-Identifier: GPL-2.0 */
/*
 * target - the Python that shall be recorded: a process, looked at from outside, or
 * an interpreter, which is run once and asked.
 */
#ifndef PERFCONV_DOCTOR_TARGET_H
#define PERFCONV_DOCTOR_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/base/mem.h"
#include "perfconv/doctor/interpreter.h"

enum pyframes_state {
	PYFRAMES_UNKNOWN, /* not found where it usually is */
	PYFRAMES_ABSENT,
	PYFRAMES_INSTALLED, /* and its .pth file, which starts it if asked to */
	PYFRAMES_LOADED,    /* its extension is, trampolines are not: dormant */
	PYFRAMES_ACTIVE,    /* trampolines are mapped */
};

struct target {
	pid_t pid; /* 0: an interpreter that does not run */
	char comm[32];
	uid_t user;
	bool readable;		    /* /proc tells us what it has mapped */
	char *file;		    /* that holds the interpreter; NULL: no Python was found */
	const char *implementation; /* "CPython", "PyPy", "GraalPy" or another; NULL with file */
	char named[32];		    /* storage for another */
	struct interpreter interpreter;
	bool looked; /* @interpreter is set */
	enum pyframes_state pyframes;
	char pyframes_version[32]; /* "": not known */
	char *asked_to_start;	   /* the value of PYFRAMES in its environment, or NULL */
	VEC(const char *) hooks;   /* other frame evaluators, as far as they show */
	pid_t tracer;		   /* who stops it; 0: nobody */
	char tracer_comm[32];
	bool other_files; /* it has its own mount namespace: a container */
	pid_t inner_pid;  /* how it is numbered in there; its own pid if nothing else is known */
	unsigned int threads;
	unsigned int stacks;	 /* of the threads, those whose stack's size could be read */
	uint64_t main_stack;	 /* bytes; 0: unlimited or not known */
	uint64_t smallest_stack; /* bytes, of the other threads; 0: not known */
	char smallest_comm[32];	 /* whose that is */
};

/** target__of_process - Return: 0, or -ESRCH with a message; what cannot be read stays unset. */
int target__of_process(struct target *t, pid_t pid, struct errbuf *err);

/**
 * target__of_executable - runs `EXE -I -c ...`, for ten seconds at most
 * Return: 0, or -errno with a message if it is no Python that answers.
 */
int target__of_executable(struct target *t, const char *executable, struct errbuf *err);

/** target__is_supported - pyframes knows this Python: CPython 3.9 to 3.13. */
bool target__is_supported(const struct target *t);

void target__release(struct target *t);

#endif
