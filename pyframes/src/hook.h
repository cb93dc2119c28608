/* SPDX-License-Identifier: MIT */
/*
 * hook.h - the frame evaluator that sends every Python call through its trampoline.
 */
#ifndef PYFRAMES_HOOK_H
#define PYFRAMES_HOOK_H

#include "errbuf.h"
#include "session.h"

/**
 * hook__start() - opens a session at need and puts the hook in place
 *
 * The evaluator that was there before (another tool's, too) is called by ours.
 * Starting twice is fine.  No exception may be set on entry, and none is left.
 *
 * Return: 0, or -errno with @err set; then Python runs on as before.
 */
int hook__start(const struct session_options *options, struct errbuf *err);

/**
 * hook__stop() - takes the hook away
 *
 * Only when it is on top; where another tool has put its own over ours, ours
 * stays and does nothing.  Frames that run keep their trampolines.
 */
void hook__stop(void);

/**
 * hook__renew() - gives a forked child its own session, if it has none yet
 *
 * Return: 0 when calls are written by this process; -errno otherwise.
 */
int hook__renew(void);

/** hook__is_active() - whether calls are being named */
bool hook__is_active(void);

#endif
