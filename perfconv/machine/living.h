/* SPDX-License-Identifier: GPL-2.0 */
/*
 * living - files as a recorded process sees them, while it still lives: in a
 * container a path leads to another file than here.
 *
 * A pid alone proves nothing, for pids come back.  The capture must be of this
 * machine and kernel, the mount namespace the one that it states, if it states
 * one, and the process as old as it was.
 */
#ifndef PERFCONV_MACHINE_LIVING_H
#define PERFCONV_MACHINE_LIVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who mapped a file first. */
struct origin {
	uint32_t pid;
	uint64_t mount_namespace; /* inode of /proc/PID/ns/mnt; 0: not stated */
	uint64_t start_ns;	  /* of the process, on the capture's clock; 0: before it began */
	uint64_t inode;		  /* of the file; 0: not stated */
};

struct living {
	bool local;	   /* the capture is of this machine and kernel */
	bool since_boot;   /* its clock counts from the machine's start */
	uint64_t first_ns; /* when it began; 0: not known */
};

/** living__is_host - whether @hostname, as a capture states it, is this machine; "" may be. */
bool living__is_host(const char *hostname);

/**
 * living__is_kernel - whether the running kernel has this build-id
 * Return: true also if it does not tell.
 */
bool living__is_kernel(const uint8_t *id, size_t bytes);

/** living__is_foreign - whether the process had another mount namespace than we have. */
bool living__is_foreign(const struct living *l, const struct origin *o);

/**
 * living__open_in_root - open @path, absolute, inside the root of a process
 *
 * The caller has to know that @pid is the one that is meant.
 * Return: as file__open_in_root().
 */
int living__open_in_root(uint32_t pid, const char *path, int flags);

/**
 * living__open - open @path, absolute, inside the root of the process that mapped it
 *
 * @proven: set if the file has the inode that was mapped, or the namespace is the one
 * that was stated; else its build-id has to prove it
 * Return: a descriptor of a regular file, which the caller closes; -1.
 */
int living__open(const struct living *l, const struct origin *o, const char *path, bool *proven);

/** living__path - the name of that file, which the caller frees; NULL if it is not there. */
char *living__path(const struct living *l, const struct origin *o, const char *path);

#endif
